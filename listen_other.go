//go:build !unix

package gatehouse

import (
	"net"
	"syscall"
)

// setBacklog leaves the system's own length: there is no call to change it.
func setBacklog(net.Listener, int) error { return nil }

// restrictSocket leaves the mode to the system.
func restrictSocket(syscall.RawConn, uint32) error { return nil }
