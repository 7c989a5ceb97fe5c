package webapps

import (
	"os/exec"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
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

// run calls f on a thread on which start may be called, and on which the program
// ends if the server does.
func (c *conditions) run(f func() error) error { return privileges.Run(c.mayGain, f) }

// start starts a program under the conditions. Only run's f may call it.
func (c *conditions) start(cmd *exec.Cmd) error {
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.dir, c.env, commandAttributes(c.user)
	return c.cell.Start(cmd)
}
