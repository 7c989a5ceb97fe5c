package cgi

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// newPipe returns the ends of a pipe. ours is the end that the server keeps: it
// alone is known to the runtime's poller; the other blocks, as programs expect.
func newPipe(ours end) (r, w *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	if err := syscall.SetNonblock(fds[1-ours], false); err != nil {
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

// await waits until the script has printed something that is not read yet, and
// returns how many bytes that are. It waits as read does; at the end it returns 0,
// and when the script has ended before: what it has left is for read.
func (o *output) await(wait time.Duration) (n int64, err error) {
	conn, err := o.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	if _, ended := o.setDeadline(wait); ended {
		return 0, nil
	}
	err = conn.Read(func(fd uintptr) bool {
		n = pending(fd)
		return n > 0 || ended(fd)
	})
	if errors.Is(err, os.ErrDeadlineExceeded) && o.isOver() {
		err = nil
	}
	return n, err
}

// unread is how many bytes the pipe holds that f is an end of.
func unread(f *os.File) (n int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) { n = pending(fd) }) // a closed one holds none
	return n
}

// pending returns how many bytes a pipe holds.
func pending(fd uintptr) int64 {
	var size int32
	if _, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&size))); errno != 0 {
		return 0
	}
	return int64(size)
}

// ended reports whether nothing comes out of a pipe any more that was empty: the
// poller's notice only says when to ask.
func ended(fd uintptr) bool {
	p := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd)} // the end is told unasked
	var now syscall.Timespec
	n, _, _ := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1
}
