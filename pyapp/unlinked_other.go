//go:build !linux

package pyapp

import "os"

// unlinkedFile makes a file in the last of the folders and removes its name.
func unlinkedFile(dirs ...string) (*os.File, error) { return createAndUnlink(dirs[len(dirs)-1]) }
