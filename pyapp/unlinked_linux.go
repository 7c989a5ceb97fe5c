package pyapp

import (
	"os"
	"syscall"
)

// oTmpfile makes a file that never has a name; package syscall lacks it.
const oTmpfile = 0o20000000 | syscall.O_DIRECTORY

// unlinkedFile makes a file without a name in the first of the folders that
// takes one. Not every file system knows O_TMPFILE.
func unlinkedFile(dirs ...string) (*os.File, error) {
	for _, dir := range dirs {
		fd, err := syscall.Open(dir, syscall.O_RDWR|oTmpfile|syscall.O_CLOEXEC, 0o600)
		if err == nil {
			return os.NewFile(uintptr(fd), dir+"/(unlinked)"), nil
		}
	}
	return createAndUnlink(dirs[len(dirs)-1])
}
