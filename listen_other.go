//go:build !unix

package gatehouse

import "net"

// setBacklog leaves the system's own length: there is no call to change it.
func setBacklog(net.Listener, int) error { return nil }
