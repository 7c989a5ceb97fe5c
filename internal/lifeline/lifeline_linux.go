package lifeline

import (
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// A Lifeline has the kernel kill a process group when the server is gone, however
// it went.
//
// It is a pipe of which only the server holds the ends, and nothing is ever
// written into it. Each end asks for SIGKILL to the group when something happens
// at the other. What happens is that the kernel closes what a dead process had
// open: whichever end comes first, the other one is still there and has its
// signal sent. No process has to be there for that, and scripts see nothing of
// it.
type Lifeline struct {
	ends [2]int // descriptors
}

// New returns a lifeline of nobody.
func New() (*Lifeline, error) {
	var l Lifeline
	if err := syscall.Pipe2(l.ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	const setSignal = 10 // F_SETSIG, which package syscall does not name
	for _, end := range l.ends {
		err := fcntl(end, setSignal, int(syscall.SIGKILL))
		if err == nil {
			err = fcntl(end, syscall.F_SETFL, syscall.O_NONBLOCK|syscall.O_ASYNC)
		}
		if err != nil {
			l.Close()
			return nil, err
		}
	}
	return &l, nil
}

// Hold makes it the lifeline of the group that pid leads, in place of the one
// before. What the kernel notes is the group and not its number: a group that has
// ended is never mistaken for another that gets its number. The kernel looks at
// who asks for the signal as it would at who sends it. With 0 it is nobody's again.
func (l *Lifeline) Hold(pid int) error {
	for _, end := range l.ends {
		if err := fcntl(end, syscall.F_SETOWN, -pid); err != nil {
			return err
		}
	}
	return nil
}

// Close kills the group, if it is there.
func (l *Lifeline) Close() {
	for _, end := range l.ends {
		syscall.Close(end)
	}
}

func fcntl(fd, command, value int) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(command), uintptr(value)); errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	return nil
}

// Lifelines keeps those that are without a group, for another one. The zero value
// has none yet. Safe for concurrent use.
type Lifelines struct {
	mu   sync.Mutex
	free []*Lifeline
}

// Get returns one for another group.
func (s *Lifelines) Get() (*Lifeline, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free) - 1
	if n < 0 {
		return New()
	}
	l := s.free[n]
	s.free = s.free[:n]
	return l, nil
}

// Put takes back that of a group which has been killed.
func (s *Lifelines) Put(l *Lifeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, l)
}

// Close releases them. All have been put back.
func (s *Lifelines) Close() {
	for _, l := range s.free {
		l.Close()
	}
}

// Await blocks until the child process has ended, without reaping it: its number,
// and that of its group, mean what they meant until it is. It returns true.
func Await(pid int) bool {
	const (
		pPID    = 1
		wExited = 4
		wNoWait = 0x01000000
	)
	var info [128]byte // siginfo_t, which nobody reads
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), wExited|wNoWait, 0, 0)
		if errno != syscall.EINTR {
			return true
		}
	}
}
