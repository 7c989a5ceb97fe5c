package pyproc

import (
	"os"
	"syscall"
	"unsafe"
)

const supported = true

// packetType keeps packet borders, so that one packet is one frame.
const packetType = syscall.SOCK_SEQPACKET

// sigParentDeath ends an interpreter that has not run our code when the server
// dies. The template ignores it once it holds the lifeline, which ends the whole
// group: a template that died before that would take the lifeline with it, and
// what the import has started would live on.
const sigParentDeath = syscall.Signal(47)

// attributes makes the child the leader of a session of its own, so that the
// terminal's signals do not reach it, and ends it with the thread that started
// it: see Template.start.
func attributes(u *User) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: sigParentDeath, Credential: u.Credential()}
}

// System calls that package syscall does not name. The numbers are the same on
// every architecture that Go runs on.
const (
	sysPidfdSendSignal = 424
	sysPidfdOpen       = 434
)

// watchDeath returns a file that becomes readable when the process ends. Unlike
// the end of a socket, that cannot be hidden by the process's own children.
func watchDeath(pid int) (*os.File, error) {
	fd, _, errno := syscall.Syscall(sysPidfdOpen, uintptr(pid), syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("pidfd_open", errno)
	}
	syscall.CloseOnExec(int(fd)) // pidfds are born so; said again for the reader
	return os.NewFile(fd, "pidfd"), nil
}

// AwaitDeath blocks until the process behind f, a pidfd that does not block, has
// ended, or f is closed. The process is not reaped.
func AwaitDeath(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool { return readable(fd) })
}

// readable asks without waiting: the poller's notice only says when to ask.
func readable(fd uintptr) bool {
	type pollFd struct {
		fd              int32
		events, revents int16
	}
	const pollIn = 1
	p := pollFd{fd: int32(fd), events: pollIn}
	var now syscall.Timespec
	n, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1 && p.revents != 0
}

// hasDied reports whether the process behind f, a pidfd, has ended.
func hasDied(f *os.File) (died bool) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	_ = conn.Control(func(fd uintptr) { died = readable(fd) }) // fails only on a closed file
	return died
}

// signalProcess signals exactly the process behind f, even if its number has
// been given to another one since.
func signalProcess(f *os.File, sig syscall.Signal) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(sysPidfdSendSignal, fd, uintptr(sig), 0, 0, 0, 0)
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("pidfd_send_signal", errno)
	}
	return err
}
