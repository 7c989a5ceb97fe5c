package static

import "io/fs"

// fileID tells one state of one file from every other that has had its name:
// when two IDs are equal the bytes are taken to be equal too, as long as the
// file was at rest when it was looked at (see restless). The zero value is the
// ID of no file.
type fileID struct {
	device, inode uint64
	size          int64
	modified      int64 // nanoseconds since 1970
	changed       int64 // change of the inode, nanoseconds since 1970; not settable, unlike modified
}

// identify returns the ID of what info describes.
func identify(info fs.FileInfo) fileID {
	id := fileID{size: info.Size(), modified: info.ModTime().UnixNano()}
	id.addInode(info)
	return id
}
