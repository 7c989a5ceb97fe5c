package cgi

import (
	"os"
	"syscall"
)

// newPipe returns the ends of a pipe. ours is the end that the server keeps: it
// alone is known to the runtime's poller; the other blocks, as programs expect.
func newPipe(ours end) (r, w *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	if err := syscall.SetNonblock(fds[ours], true); err != nil {
		syscall.Close(fds[0])
		syscall.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// wide is what a pipe holds that much goes through: fewer changes between script
// and server. It is the system's memory; the system bounds it for each user.
const wide = 256 << 10

// widen makes a pipe hold more, where that is allowed.
func widen(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETPIPE_SZ, wide)
	})
}
