package confine

import (
	"fmt"
	"os/exec"
)

// Confinement says what the processes of an application may take, and how they are
// held to it. The zero value lets them take what they like.
type Confinement struct {
	Limits Limits
	cell   *Cell // that Open returns, in place of a new one
}

// Open makes a cell for the processes of one version of the application. The
// caller closes it when they have ended, or are to end.
func (c Confinement) Open() (*Cell, error) {
	if c.cell != nil {
		return &Cell{limits: c.cell.limits, shared: true}, nil
	}
	if c.Limits != (Limits{}) && !Supported {
		return nil, fmt.Errorf("confine: %w", ErrUnsupported)
	}
	return &Cell{limits: c.Limits}, nil
}

// A Cell is where the processes of one version of an application are. Nil is one
// that holds nobody to anything. Its methods may be called concurrently.
type Cell struct {
	limits Limits
	shared bool
}

// Share is a confinement whose cells are all this one: for what runs as part of
// the same version.
func (c *Cell) Share() Confinement {
	if c == nil {
		return Confinement{}
	}
	return Confinement{Limits: c.limits, cell: c}
}

// Close ends the cell. Nil has nothing to end.
func (c *Cell) Close() error { return nil }

// Start starts cmd in the cell. The calling goroutine is locked to its thread: it
// is the one that the parent-death signal follows, and that may impose limits. The
// error is an ErrUnlimited, or that of cmd.Start.
func (c *Cell) Start(cmd *exec.Cmd) error {
	c.Prepare(cmd.SysProcAttr, PerProcess{})
	err := cmd.Start()
	if err != nil {
		return err
	}
	if err = c.Impose(cmd.Process.Pid, cmd.SysProcAttr.Credential, PerProcess{}); err != nil {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // err is what to tell
	}
	return err
}

// each are the limits of each process in the cell, children of its own apart.
func (c *Cell) each() PerProcess {
	if c == nil {
		return PerProcess{}
	}
	return PerProcess{Data: c.limits.Memory, Files: c.limits.Files, Processes: c.limits.Processes}
}
