package pyproc

import (
	"net"
	"os"
	"syscall"
)

// SocketPair returns the two ends of a fresh Unix socket pair that keeps packet
// borders where the system can do that: our end, in use by the Go runtime's
// poller, and the end for a child process. Neither is inherited by accident.
func SocketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	a, b, err := FilePair()
	if err != nil {
		return nil, nil, err
	}
	if ours, err = packetConn(a); err != nil {
		b.Close()
		return nil, nil, err
	}
	return ours, b, nil
}

// FilePair is SocketPair without the poller: whoever uses our end does not wait.
func FilePair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, packetType, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "socketpair"), os.NewFile(uintptr(fds[1]), "socketpair"), nil
}
