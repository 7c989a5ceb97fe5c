//go:build !linux

package pyapp

import "os"

// unlinkedFile makes a private file in dir and removes its name.
func unlinkedFile(dir string) (*os.File, error) { return createAndUnlink(dir) }

// memoryFile makes an unlinked file of size bytes; these systems have no files
// in memory that are easily had.
func memoryFile(size int64) (*os.File, error) {
	f, err := createAndUnlink(os.TempDir())
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
