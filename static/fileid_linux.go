package static

import (
	"io/fs"
	"syscall"
)

// addInode fills in what only the system's own structure holds.
func (id *fileID) addInode(info fs.FileInfo) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.device, id.inode, id.changed = uint64(st.Dev), st.Ino, st.Ctim.Nano()
	}
}
