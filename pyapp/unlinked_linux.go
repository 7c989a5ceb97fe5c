package pyapp

import (
	"os"
	"syscall"
)

// memoryDir is a file system in memory that every Linux has.
const memoryDir = "/dev/shm"

// oTmpfile makes a file that never has a name; package syscall lacks it.
const oTmpfile = 0o20000000 | syscall.O_DIRECTORY

// unlinkedFile makes a private file without a name in dir.
func unlinkedFile(dir string) (*os.File, error) {
	fd, err := syscall.Open(dir, syscall.O_RDWR|oTmpfile|syscall.O_CLOEXEC, 0o600)
	if err != nil { // not every file system knows O_TMPFILE
		return createAndUnlink(dir)
	}
	return os.NewFile(uintptr(fd), dir+"/(unlinked)"), nil
}

// memoryFile makes an unlinked file in memory with room for size bytes. It
// fails where memory for files is scarce, as in many containers.
func memoryFile(size int64) (*os.File, error) {
	f, err := unlinkedFile(memoryDir)
	if err != nil {
		return nil, err
	}
	if size > 0 {
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
			f.Close()
			return nil, os.NewSyscallError("fallocate", err)
		}
	}
	return f, nil
}
