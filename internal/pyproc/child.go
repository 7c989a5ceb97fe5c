package pyproc

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Child is a process that runs a service. Its methods may be called
// concurrently.
type Child struct {
	pid   int
	death *os.File
	exit  Exit // before done is closed only finish may touch it
	done  chan struct{}
}

// PID is the process's number. It may be another process's once Done is closed.
func (c *Child) PID() int { return c.pid }

// Done is closed when the process has ended and Exit is known.
func (c *Child) Done() <-chan struct{} { return c.done }

// Exit says how the process ended; it is valid once Done is closed.
func (c *Child) Exit() Exit { return c.exit }

// Signal sends sig to the process and to no other, ever. An error means that it
// has ended.
func (c *Child) Signal(sig syscall.Signal) error {
	if err := signalProcess(c.death, sig); err != nil {
		return fmt.Errorf("pyproc: signal %d: %w", c.pid, err)
	}
	return nil
}

// watch waits for the death of a forked child and has the template reap it.
func (c *Child) watch(t *Template) {
	_ = AwaitDeath(c.death) // nobody closes the file before finish
	c.finish(t.reap(c.pid))
}

func (c *Child) finish(e Exit) {
	c.exit = e
	c.death.Close()
	close(c.done)
}

// Exit is how a process ended: by a signal or with a code.
type Exit struct {
	Code   int            // exit status; -1 if a signal ended it or the status is unknown
	Signal syscall.Signal // 0 if it was none
}

// String implements fmt.Stringer.
func (e Exit) String() string {
	switch {
	case e.Signal != 0:
		return "signal " + strconv.Itoa(int(e.Signal)) + " (" + e.Signal.String() + ")"
	case e.Code < 0:
		return "unknown status"
	}
	return "status " + strconv.Itoa(e.Code)
}

func exitOf(p *os.ProcessState) Exit {
	if p == nil {
		return Exit{Code: -1}
	}
	if s, ok := p.Sys().(syscall.WaitStatus); ok {
		return ExitOf(s)
	}
	return Exit{Code: p.ExitCode()}
}

// ExitOf returns what a wait status says of a process that has ended.
func ExitOf(s syscall.WaitStatus) Exit {
	if s.Signaled() {
		return Exit{Code: -1, Signal: s.Signal()}
	}
	return Exit{Code: s.ExitStatus()}
}
