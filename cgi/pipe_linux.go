package cgi

import (
	"os"
	"syscall"
	"unsafe"
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

// wide is what a pipe holds that much goes through, the most that Linux gives to
// everybody: fewer changes between script and server. It is the system's memory,
// which the system bounds for each user.
const wide = 1 << 20

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

// pending returns how many bytes the script has printed that are not read yet.
func (o *output) pending() (n int64) {
	conn, err := o.file.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) { // of a closed pipe, nothing
		var size int32
		if _, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&size))); errno == 0 {
			n = int64(size)
		}
	})
	return n
}
