package unlinked

import (
	"os"
	"syscall"
)

// memoryDir is a file system in memory that every Linux has.
const memoryDir = "/dev/shm"

// oTmpfile makes a file that never has a name; package syscall lacks it.
const oTmpfile = 0o20000000 | syscall.O_DIRECTORY

// File makes a private file without a name in dir, open for reading and writing.
func File(dir string) (*os.File, error) {
	fd, err := syscall.Open(dir, syscall.O_RDWR|oTmpfile|syscall.O_CLOEXEC, 0o600)
	if err != nil { // not every file system knows O_TMPFILE
		return createAndUnlink(dir)
	}
	return os.NewFile(uintptr(fd), dir+"/(unlinked)"), nil
}

// Memory makes a file without a name in memory with room for size bytes. It
// fails where memory for files is scarce, as in many containers.
func Memory(size int64) (*os.File, error) {
	f, err := File(memoryDir)
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
