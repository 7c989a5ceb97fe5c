//go:build !linux

package unlinked

import "os"

// File makes a private file in dir, open for reading and writing, and removes
// its name.
func File(dir string) (*os.File, error) { return createAndUnlink(dir) }

// Memory makes a file without a name of size bytes; these systems have no files
// in memory that are easily had.
func Memory(size int64) (*os.File, error) {
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
