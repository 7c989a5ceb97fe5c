package pyproc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
	"github.com/seed-07905ac1/gatehouse/internal/privileges"
)

// Template is a process that has loaded, or is loading, a service, and forks
// children that run it. Its methods may be called concurrently.
type Template struct {
	cmd      *exec.Cmd
	user     *User
	cell     *confine.Cell
	control  *net.UnixConn
	lifeline *os.File // our end; closing it has the kernel kill the group
	patience time.Duration
	mayGain  bool // privileges

	mu       sync.Mutex // one order and its answer at a time
	children sync.WaitGroup

	done chan struct{} // closed when the process has been reaped
}

// Loaded is what a template tells once it has loaded its service.
type Loaded struct {
	Info    json.RawMessage // what the service's load returned
	Threads int             // threads in the process, at least 1; it forks safely only with 1
}

// Failure says why a service could not be loaded. It is an error.
type Failure struct {
	Path      string // the file to look at, "" if unknown
	Line      int    // 0 if unknown
	Exception string // the exception's type and message, or how the process ended
	Module    string // the module that was not found, if that was it
	Traceback string // all of it, several lines; "" if there is none
}

// Error implements error.
func (f *Failure) Error() string {
	switch {
	case f.Path == "":
		return f.Exception
	case f.Line == 0:
		return f.Path + ": " + f.Exception
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Exception)
}

// ErrEnded is returned for an order to a template that is no more.
var ErrEnded = errors.New("pyproc: the template process has ended")

// maxAnswer bounds an answer of the template; a longer one is cut and then does
// not parse.
const maxAnswer = 256 << 10

// answer is one message from the template: which fields are there depends on
// what was asked.
type answer struct {
	Ready   json.RawMessage `json:"ready"`
	Threads int             `json:"threads"`
	Failed  *struct {
		Path      string `json:"path"`
		Line      int    `json:"line"`
		Error     string `json:"error"`
		Module    string `json:"module"`
		Traceback string `json:"traceback"`
	} `json:"failed"`
	Forked int    `json:"forked"`
	Reaped int    `json:"reaped"`
	Status int    `json:"status"`
	Error  string `json:"error"`
}

// start starts the process on an OS thread that lives until the process has
// ended: the kernel sends the parent-death signal when the starting thread
// ends, and the Go runtime ends threads as it likes.
func (t *Template) start() error {
	started := make(chan error)
	go func() {
		err := privileges.Run(t.mayGain, func() error {
			if err := t.cell.Start(t.cmd); err != nil {
				return err
			}
			started <- nil
			_ = t.cmd.Wait() // how it ended stands in ProcessState
			close(t.done)
			return nil
		})
		if err != nil {
			started <- err
		}
	}()
	return <-started
}

// PID is the number of the template process, which is also its process group.
func (t *Template) PID() int { return t.cmd.Process.Pid }

// Done is closed when the process has ended.
func (t *Template) Done() <-chan struct{} { return t.done }

// Exit says how the process ended. It is known once Done is closed.
func (t *Template) Exit() Exit { return exitOf(t.cmd.ProcessState) }

// Ready waits until the service is loaded. The error is a *Failure when the
// process says why it is not, or has ended. It is called once, before Fork.
func (t *Template) Ready(ctx context.Context) (Loaded, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = t.control.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	a, err := t.receive()
	switch {
	case ctx.Err() != nil:
		return Loaded{}, ctx.Err()
	case errors.Is(err, io.EOF):
		<-t.done
		return Loaded{}, &Failure{Exception: "the interpreter ended with " + exitOf(t.cmd.ProcessState).String()}
	case err != nil:
		return Loaded{}, fmt.Errorf("pyproc: await template: %w", err)
	case a.Failed != nil:
		f := a.Failed
		return Loaded{}, &Failure{Path: f.Path, Line: f.Line, Exception: f.Error, Module: f.Module, Traceback: f.Traceback}
	case a.Ready == nil:
		return Loaded{}, errors.New("pyproc: await template: it sent something else")
	}
	return Loaded{Info: a.Ready, Threads: max(a.Threads, 1)}, nil
}

// Fork makes a child that runs the service with that number and those files,
// which the caller may close afterwards.
func (t *Template) Fork(number int, files ...*os.File) (*Child, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.order("fork", number, files)
	if err != nil {
		return nil, err
	}
	if a.Forked <= 0 {
		return nil, fmt.Errorf("pyproc: fork: %s", a.Error)
	}
	death, err := t.Vouch(a.Forked)
	if errors.Is(err, ErrGone) {
		return nil, fmt.Errorf("pyproc: fork: %w", err)
	}
	if err != nil {
		// What it has forked we could not end; it goes with the template's group.
		t.kill()
		return nil, fmt.Errorf("%w: fork: %w", ErrEnded, err)
	}
	c := &Child{pid: a.Forked, death: death, done: make(chan struct{})}
	t.children.Go(func() { c.watch(t) })
	return c, nil
}

// Become has the template itself run the service, as its last order: for
// services that must not be forked. The Child and the Template are then one
// process.
func (t *Template) Become(number int, files ...*os.File) (*Child, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	death, err := watchDeath(t.PID())
	if err != nil {
		return nil, fmt.Errorf("pyproc: become: %w", err)
	}
	if err := t.send("become", number, files); err != nil {
		death.Close()
		return nil, err
	}
	c := &Child{pid: t.PID(), death: death, done: make(chan struct{})}
	t.children.Go(func() {
		<-t.done
		c.finish(exitOf(t.cmd.ProcessState))
	})
	return c, nil
}

// Close ends the template and every process of its group at once, and waits for
// them. A second call does nothing.
func (t *Template) Close() error {
	err := t.lifeline.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	// The lifeline is not in place before the interpreter has run some of our
	// code; until then there is only this one process.
	_ = t.cmd.Process.Kill() // it may have ended
	<-t.done
	t.control.Close()
	// An order that is being carried out may still make a child; none does from
	// now on.
	t.mu.Lock()
	//lint:ignore SA2001 nothing is to be done but to have waited
	t.mu.Unlock()
	t.children.Wait()
	return err
}

// reap collects the exit status of a forked child that has ended.
func (t *Template) reap(pid int) Exit {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.order("reap", pid, nil)
	if err != nil || a.Reaped != pid {
		return Exit{Code: -1} // nobody will ever know
	}
	return ExitOf(syscall.WaitStatus(a.Status))
}

// order sends an order and receives its answer. A template that lets us wait is
// ended: what it might still answer would be taken for the answer to the next
// order. t.mu is held.
func (t *Template) order(verb string, number int, files []*os.File) (answer, error) {
	err := t.send(verb, number, files)
	var a answer
	if err == nil {
		a, err = t.receive()
	}
	switch {
	case errors.Is(err, io.EOF):
		err = ErrEnded
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.kill()
		err = fmt.Errorf("%w: it did not answer the order %q within %v", ErrEnded, verb, t.patience)
	}
	return a, err
}

// kill ends the template process alone.
func (t *Template) kill() {
	_ = t.cmd.Process.Kill() // it may have ended just now
	<-t.done
}

// send sends an order, and sets the time by which it has to be answered.
func (t *Template) send(verb string, number int, files []*os.File) error {
	_ = t.control.SetDeadline(time.Now().Add(t.patience)) // fails only on a closed connection
	b := marshal.AppendTuple(nil, 2)
	b = marshal.AppendText(b, verb)
	b = marshal.AppendInt(b, int32(number))
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = syscall.UnixRights(fds...)
	}
	if _, _, err := t.control.WriteMsgUnix(b, rights, nil); err != nil {
		// A reset is what is left of one that ended with an order unread.
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
			return ErrEnded
		}
		return fmt.Errorf("pyproc: %s: %w", verb, err)
	}
	return nil
}

func (t *Template) receive() (answer, error) {
	buf := make([]byte, maxAnswer)
	n, err := t.control.Read(buf)
	if err != nil {
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
			err = io.EOF
		}
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(buf[:n], &a); err != nil {
		return answer{}, fmt.Errorf("pyproc: answer of the template: %w", err)
	}
	return a, nil
}
