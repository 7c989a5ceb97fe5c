package confine

import (
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
)

// Confinement says what the processes of an application may take, and how they are
// held to it. The zero value lets them take what they like.
type Confinement struct {
	Limits Limits
	// Groups is where a control group is made for each cell, which holds all of its
	// processes together to the limits that it has controllers for. Where it makes
	// none, and where it is nil, each process is held to them by itself, and nobody to
	// that of CPU.
	Groups *cgroup.Tree

	cell *Cell // that Open lends, in place of a new one
}

// Open makes a cell for the processes of one version of the application of that
// name; asRoot says that they run as root. What cannot be held is logged, and so is
// what happens because of the limits. The caller closes the cell when its processes
// have ended, or are to end.
func (c Confinement) Open(name string, asRoot bool, log *slog.Logger) (*Cell, error) {
	if c.cell != nil {
		return &Cell{common: c.cell.common, lent: true}, nil
	}
	if c.Limits != (Limits{}) && !Supported {
		return nil, fmt.Errorf("confine: %w", ErrUnsupported)
	}
	r := &common{limits: c.Limits, log: log}
	if c.Groups.None() == nil {
		l := cgroup.Limits{Memory: c.Limits.Memory, CPU: c.Limits.CPU, Processes: c.Limits.Processes}
		var err error
		if r.group, err = c.Groups.Make(name, l); err == nil {
			r.has = c.Groups.Controllers()
			r.group.Heed(r.heed)
		} else if c.Limits != (Limits{}) {
			return nil, fmt.Errorf("confine: %w", err)
		} else {
			log.Warn("there is no control group for the application: what leaves its other processes may outlive them", "error", err)
		}
	}
	r.unheld = c.unheld(r.has, asRoot)
	for _, text := range r.unheld {
		log.Warn(text)
	}
	return &Cell{common: r}, nil
}

// unheld tells of each limit that nothing holds anybody to, why, and what does.
func (c Confinement) unheld(has cgroup.Controllers, asRoot bool) (all []string) {
	tell := func(limit, controller, more string) {
		reason := "it has not got the controller " + controller
		if err := c.Groups.None(); err != nil {
			reason = err.Error()
		}
		all = append(all, fmt.Sprintf("the limit of %s is not held%s: that takes a control group of the server's own, and %s; a systemd service with Delegate=yes has one", limit, more, reason))
	}
	if c.Limits.CPU > 0 && !has.CPU {
		tell("CPU cores", "cpu", "")
	}
	if c.Limits.Processes > 0 && !has.Processes && asRoot {
		tell("processes", "pids", " for root")
	}
	return all
}

// A Cell is where the processes of one version of an application are. Nil is one
// that holds nobody to anything. Its methods may be called concurrently.
type Cell struct {
	*common
	lent bool // somebody else closes it
}

// common is what those share that a cell is lent to.
type common struct {
	limits Limits
	group  *cgroup.Group // nil if there is none
	has    cgroup.Controllers
	unheld []string
	log    *slog.Logger

	mu       sync.Mutex
	told     cgroup.Events // what has been logged
	refused  time.Time     // when processes that were not started were told of last
	answered int           // processes ended for memory that KilledForMemory has told of
}

// Share is a confinement whose cells are all this one: for what runs as part of
// the same version.
func (c *Cell) Share() Confinement {
	if c == nil {
		return Confinement{}
	}
	return Confinement{Limits: c.limits, cell: c}
}

// Close ends what is in the cell, if a control group holds it together, and returns
// when it has ended. A cell that is lent is its owner's to close.
func (c *Cell) Close() error {
	if c == nil || c.lent || c.group == nil {
		return nil
	}
	if err := c.group.Close(); err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	return nil
}

// Unheld tells of each limit that nothing holds the cell to, a sentence each.
func (c *Cell) Unheld() []string {
	if c == nil {
		return nil
	}
	return c.common.unheld
}

// KilledForMemory reports whether the kernel has ended a process in the cell because
// the limit of memory was reached, each such process once. It is for whoever wants
// to know why one was killed.
func (c *Cell) KilledForMemory() bool {
	if c == nil || !c.has.Memory {
		return false
	}
	killed := c.group.Events().Killed
	c.mu.Lock()
	defer c.mu.Unlock()
	if killed <= c.answered {
		return false
	}
	c.answered++
	return true
}

// Start starts cmd in the cell. The calling goroutine is locked to its thread: it
// is the one that the parent-death signal follows, and that may impose limits. The
// error is an ErrUnlimited, or that of cmd.Start.
func (c *Cell) Start(cmd *exec.Cmd) error {
	c.Prepare(cmd.SysProcAttr, PerProcess{})
	err := cmd.Start()
	if err != nil {
		return StartError(cmd.SysProcAttr, err)
	}
	if err = c.Impose(cmd.Process.Pid, cmd.SysProcAttr.Credential, PerProcess{}); err != nil {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // err is what to tell
	}
	return err
}

// each are the limits that each process in the cell is held to by itself.
func (c *Cell) each() PerProcess {
	if c == nil {
		return PerProcess{}
	}
	each := PerProcess{Data: c.limits.Memory, Files: c.limits.Files, Processes: c.limits.Processes}
	if c.has.Memory {
		each.Data = 0
	}
	if c.has.Processes {
		each.Processes = 0
	}
	return each
}

// refusedPause is the least time between two records about processes that could not
// be started: a fork bomb tries thousands of times a second.
const refusedPause = 10 * time.Second

// heed logs what has happened in the group.
func (r *common) heed(e cgroup.Events) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := e.Killed - r.told.Killed; n > 0 {
		r.told.Killed = e.Killed
		r.log.Error("the application has reached its limit of memory; the kernel has ended some of its processes", "limit", r.limits.Memory, "processes", n)
	}
	if n := e.Refused - r.told.Refused; n > 0 && time.Since(r.refused) > refusedPause {
		r.told.Refused, r.refused = e.Refused, time.Now()
		r.log.Warn("the application has reached its limit of processes and threads; it could not start more", "limit", r.limits.Processes, "refused", n)
	}
}
