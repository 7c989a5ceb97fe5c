package daemon

import (
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// limitsOf is what the configuration lets an application take of the machine.
func limitsOf(c *config.App) pyapp.Limits {
	l := &c.Limits
	return pyapp.Limits{Memory: int64(l.Memory), CPU: l.CPU, Files: l.Files, Processes: l.Processes}
}
