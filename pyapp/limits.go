package pyapp

import (
	"errors"
	"os"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// Confinement is what an application may take of the machine. Its field Limits is
// for everybody to set; the others are the daemon's. Linux only; Open returns an
// error for limits elsewhere.
type Confinement = confine.Confinement

// Limits bound what an application may take; 0 is no bound.
type Limits = confine.Limits

// errTooLarge is the end of an import that the kernel has ended.
var errTooLarge = errors.New("the import took more memory than the application may have, and the kernel ended it")

// openCell makes a cell for the processes of a generation.
func (p *Pool) openCell() (*confine.Cell, error) {
	c := &p.config
	asRoot := c.User == nil && os.Geteuid() == 0 || c.User != nil && c.User.UID == 0
	return c.Confinement.Open(c.Name, asRoot, p.log)
}

// endOf is the reason for the end of a worker that nobody has told to end.
func (g *generation) endOf(w *worker, e pyproc.Exit) Reason {
	switch {
	case e.Signal == syscall.SIGKILL && g.cell.KilledForMemory():
		return OutOfMemory
	case w.state == Starting:
		return BootFailure
	}
	return Crash
}
