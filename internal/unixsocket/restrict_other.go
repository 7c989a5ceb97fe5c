//go:build !unix

package unixsocket

import "syscall"

// restrict leaves the mode to the system.
func restrict(syscall.RawConn, uint32) error { return nil }
