// Package unlinked makes private files that have no name: what is stored in them
// is gone with the last process that has them open, however that one ends.
package unlinked

import "os"

// createAndUnlink makes a private file that has a name only for a moment.
func createAndUnlink(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "gatehouse-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
