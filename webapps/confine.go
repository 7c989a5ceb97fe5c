package webapps

import "os"

// openCell makes the cell for the processes of an instance, before the first of
// them is started.
func (i *instance) openCell() (err error) {
	u := i.account.user()
	asRoot := u == nil && os.Geteuid() == 0 || u != nil && u.UID == 0
	i.cell, err = i.app.Confinement.Open(i.name.String(), asRoot, i.log)
	return err
}

// closeCell ends whatever of an instance is left when it has ended by itself, and
// the processes beside it have.
func (i *instance) closeCell() {
	if i.processes != nil && i.processes.begun.Load() {
		<-i.processes.ended
	}
	if err := i.cell.Close(); err != nil {
		i.log.Error("cannot end all that the application has started", "error", err)
	}
}
