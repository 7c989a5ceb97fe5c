package cgi

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// starters is how many threads start processes: one for each core, since
// starting computes, but not for a core that scripts will want.
func starters() int { return min(runtime.GOMAXPROCS(0), 4) }

// cold runs each script as a process from its executable.
//
// The processes are started by threads that live as long as the runner: the
// kernel sends the parent-death signal when the thread ends that started a
// process, and the Go runtime ends threads as it likes.
//
// That signal is for the script alone, in the moment between its start and that
// in which a lifeline holds its whole group.
type cold struct {
	orders    chan order
	user      *User
	limits    Limits
	cell      *confine.Cell
	lifelines lifeline.Lifelines
	ended     sync.WaitGroup // of the starters
}

// An order to start a process, and where to tell what became of it.
type order struct {
	c      *command
	result chan<- started
}

type started struct {
	child *child
	err   error
}

func newCold(c *Config) *cold {
	keepDescriptors()
	r := &cold{orders: make(chan order), user: c.User, limits: c.Limits, cell: c.Cell}
	for range starters() {
		r.ended.Go(r.serve)
	}
	return r
}

func (c *cold) serve() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for o := range c.orders {
		p, err := c.spawn(o.c)
		o.result <- started{p, err}
	}
}

// start implements runner.
func (c *cold) start(cmd *command) (process, error) {
	result := make(chan started, 1)
	c.orders <- order{cmd, result}
	s := <-result
	if s.err != nil {
		return nil, s.err
	}
	return s.child, nil
}

// close implements runner.
func (c *cold) close() {
	close(c.orders)
	c.ended.Wait()
	c.lifelines.Close()
}

// spawn starts the process, on the thread of a starter.
func (c *cold) spawn(cmd *command) (*child, error) {
	life, err := c.lifelines.Get()
	if err != nil {
		return nil, fmt.Errorf("cgi: lifeline: %w", err)
	}
	death := -1
	attr := &syscall.ProcAttr{
		Dir: cmd.dir, Env: cmd.env,
		Files: []uintptr{cmd.stdin.Fd(), cmd.stdout.Fd(), cmd.stderr.Fd()},
		Sys:   c.attributes(&death),
	}
	pid, err := syscall.ForkExec(cmd.program.path, cmd.program.args, attr)
	if err != nil {
		c.lifelines.Put(life)
		return nil, err
	}
	p := &child{pid: pid, closed: make(chan struct{})}
	// The kernel looks at who asks for the signal as it would at who sends it.
	err = c.user.Do(func() error { return life.Hold(pid) })
	if err == nil {
		err = c.cell.Impose(pid, attr.Sys.Credential, c.limits.each())
	}
	if err != nil {
		p.end()
		if death >= 0 {
			syscall.Close(death)
		}
		c.lifelines.Put(life)
		return nil, err
	}
	go func() {
		p.await(death)
		p.end()
		c.lifelines.Put(life)
		cmd.ended()
		close(p.closed)
	}()
	return p, nil
}

// child is a process that we are the parent of.
type child struct {
	pid    int
	closed chan struct{}
	status pyproc.Exit // valid once closed is

	mu     sync.Mutex
	reaped bool // its number may be another's by now
}

// signal implements process.
func (p *child) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.pid, sig) // the group is there as long as its leader is not reaped
	}
}

// done implements process.
func (p *child) done() <-chan struct{} { return p.closed }

// exit implements process.
func (p *child) exit() pyproc.Exit { return p.status }

// end kills the process, or what it has left behind in its group, and reaps it.
// Only as long as it is not reaped its number is certain to mean that group.
func (p *child) end() {
	p.signal(syscall.SIGKILL)
	p.reap()
}

// reap collects the exit status of a process that has ended or is about to.
func (p *child) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(p.pid, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		p.status = pyproc.Exit{Code: -1}
		if err == nil {
			p.status = pyproc.ExitOf(status)
		}
		p.reaped = true
		return
	}
}

var (
	_ runner  = (*cold)(nil)
	_ process = (*child)(nil)
)
