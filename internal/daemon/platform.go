package daemon

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

// owner is the user that owns a file.
func owner(path string) (uid uint32, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return ownerOf(info)
}

func ownerOf(info fs.FileInfo) (uid uint32, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}

// ownedByRoot reports whether nobody but root can have written a file.
func ownedByRoot(info fs.FileInfo) bool {
	uid, ok := ownerOf(info)
	return ok && uid == 0 && !filestate.OthersMayChange(info)
}

// hasTerminal reports whether the process has a controlling terminal. /dev/tty
// leads to it, whatever the standard streams are.
func hasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	_ = f.Close() // nothing was written
	return true
}
