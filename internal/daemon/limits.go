package daemon

import (
	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// limitsOf is what the configuration lets an application take of the machine.
func limitsOf(c *config.App) pyapp.Limits {
	l := &c.Limits
	return pyapp.Limits{Memory: int64(l.Memory), CPU: l.CPU, Files: l.Files, Processes: l.Processes}
}

// takeGroups takes over the control group that the server is in, if it is the
// server's own, before the process becomes somebody else. That there is none is
// said where somebody asks for what only a group can hold.
func (d *daemon) takeGroups() {
	if d.groupless {
		return
	}
	d.groups = cgroup.Open()
	if d.who != nil {
		d.groups.Give(int(d.who.id.UID), int(d.who.id.GID))
	}
}
