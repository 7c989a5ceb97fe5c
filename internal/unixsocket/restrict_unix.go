//go:build unix

package unixsocket

import "syscall"

// restrict gives a socket that is not bound yet the mode that its file
// will have, less the umask. On Linux bind(2) takes it over; systems that
// refuse leave the file to the chmod that follows.
func restrict(raw syscall.RawConn, mode uint32) error {
	return raw.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), mode) })
}
