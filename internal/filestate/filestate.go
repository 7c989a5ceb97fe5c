// Package filestate says what a look at a file tells beside its content: whether
// it is still the file that was looked at before, and who may change it. What it
// is NOT for: opening files, see package nofollow.
package filestate

import (
	"io/fs"
	"os"
)

// Same reports whether two looks saw the same file in the same state. A change
// within the resolution of the file system's times that keeps the size is not
// seen. The values must come from package os.
func Same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.Mode() == b.Mode() && a.ModTime().Equal(b.ModTime())
}

// OthersMayChange reports whether somebody beside its owner, and root, may write to
// a file, or decide what a folder holds: what is executed from there would be
// whatever they like.
func OthersMayChange(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }
