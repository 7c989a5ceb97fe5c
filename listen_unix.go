//go:build unix

package gatehouse

import (
	"net"
	"syscall"
)

// setBacklog calls listen(2) again on a socket that listens already, which
// changes nothing but the length of its queue. The net package offers no way
// to say it the first time.
func setBacklog(l net.Listener, backlog int) error {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return syscall.ENOTSUP
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), backlog) }); err != nil {
		return err
	}
	return failed
}
