package cgi

import (
	"os"
	"sync"
	"syscall"
)

// A lifeline has the kernel kill a process group when the server is gone, however
// it went.
//
// It is a pipe of which only the server holds the ends, and nothing is ever
// written into it. Each end asks for SIGKILL to the group when something happens
// at the other. What happens is that the kernel closes what a dead process had
// open: whichever end comes first, the other one is still there and has its
// signal sent. No process has to be there for that, and scripts see nothing of
// it.
type lifeline struct {
	ends [2]int // descriptors
}

// newLifeline returns a lifeline of nobody.
func newLifeline() (*lifeline, error) {
	var l lifeline
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
			l.close()
			return nil, err
		}
	}
	return &l, nil
}

// hold makes it the lifeline of the group that pid leads, in place of the one
// before. What the kernel notes is the group and not its number: a group that has
// ended is never mistaken for another that gets its number.
func (l *lifeline) hold(pid int) error {
	for _, end := range l.ends {
		if err := fcntl(end, syscall.F_SETOWN, -pid); err != nil {
			return err
		}
	}
	return nil
}

// close kills the group, if it is there.
func (l *lifeline) close() {
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

// lifelines keeps those that are without a group. Safe for concurrent use.
type lifelines struct {
	mu   sync.Mutex
	free []*lifeline
}

// get returns one for another group.
func (s *lifelines) get() (*lifeline, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free) - 1
	if n < 0 {
		return newLifeline()
	}
	l := s.free[n]
	s.free = s.free[:n]
	return l, nil
}

// put takes back that of a group which has been killed.
func (s *lifelines) put(l *lifeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, l)
}

// close releases them. All have been put back.
func (s *lifelines) close() {
	for _, l := range s.free {
		l.close()
	}
}
