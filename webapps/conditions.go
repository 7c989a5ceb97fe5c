package webapps

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/privileges"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// conditions are what programs run under that are no workers: the processes
// beside an application, and the commands that a deployment needs.
type conditions struct {
	dir  string
	env  []string
	user *pyapp.User // nil: the server's
	cell *confine.Cell
	// mayGain lets programs give them other rights.
	mayGain bool
}

// conditions are those of what the application names.
func (i *instance) conditions(data string) conditions {
	return conditions{dir: i.dir, env: i.commandEnvironment(data), user: i.account.user(), cell: i.cell, mayGain: i.app.WSGI.NewPrivileges}
}

// order is a signal that a program gets, with all that it has started, when
// something happens.
type order struct {
	when   <-chan struct{}
	signal syscall.Signal
}

// run runs a program under the conditions until it has ended, with all that it has
// started, which ends with the server too. started is called when it runs. The
// orders come one after the other: each is waited for when the one before was given.
// What has ended is not signalled any more: its number may be another's.
func (c *conditions) run(cmd *exec.Cmd, started func(pid int), orders ...order) error {
	return privileges.Run(c.mayGain, func() error { return c.spawn(cmd, started, orders) })
}

// spawn is run, on a thread on which that may be done, and on which the program ends
// if the server does.
func (c *conditions) spawn(cmd *exec.Cmd, started func(pid int), orders []order) error {
	life, err := lifeline.New()
	if err != nil {
		return err
	}
	defer life.Close()
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.dir, c.env, commandAttributes(c.user)
	// What it leaves behind out of reach may hold its output open; nobody waits for that.
	cmd.WaitDelay = time.Second
	if err := c.cell.Start(cmd); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	// The kernel looks at who asks for the signal as it would at who sends it.
	held := c.user.Do(func() error { return life.Hold(pid) })
	if held == nil {
		started(pid)
	} else {
		_ = killGroup(pid)
	}
	ended := obey(pid, orders)
	unreaped := lifeline.Await(pid)
	if unreaped {
		ended()
		_ = killGroup(pid) // what it has left behind goes as well
	}
	err = cmd.Wait()
	if !unreaped {
		ended()
	}
	switch {
	case held != nil:
		return fmt.Errorf("it could outlive the server: %w", held)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil
	}
	return err
}

// obey has a program get the orders, until the function that it returns is called:
// when the program has ended.
func obey(pid int, orders []order) (ended func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for _, o := range orders {
			select {
			case <-over:
				return
			case <-o.when:
				_ = syscall.Kill(-pid, o.signal)
			}
		}
	}()
	return func() { close(over); <-done }
}
