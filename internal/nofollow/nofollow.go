// Package nofollow opens files and folders below a root without following
// symbolic links.
//
// os.Root keeps every operation inside a folder but follows links that stay
// inside. The functions here follow none: each step looks at a name without
// following it, opens it, and goes on only if what was opened is what was seen.
// Whatever is exchanged meanwhile, the answer can only be "not found".
package nofollow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

var (
	// ErrNotServed is what a name comes to that exists but is no regular file and
	// no folder, or not the one of them that was asked for. It is an
	// fs.ErrNotExist.
	ErrNotServed = fmt.Errorf("not a regular file or folder: %w", fs.ErrNotExist)
	// ErrExchanged is what comes of a name that became another file between the
	// look and the open, again and again. It is an fs.ErrNotExist.
	ErrExchanged = fmt.Errorf("exchanged while being opened: %w", fs.ErrNotExist)
)

// attempts is how often a name is tried that is exchanged meanwhile. Programs
// replace files by renaming, so to fail at the first would be a "not found" for a
// file that was always there.
const attempts = 8

// Descend opens the folder dir, a clean relative slash path or ".", below top.
// The caller closes it.
func Descend(top *os.Root, dir string) (*os.Root, error) {
	at, err := top.OpenRoot(".")
	if err != nil || dir == "." {
		return at, err
	}
	for element := range strings.SplitSeq(dir, "/") {
		next, _, err := Folder(at, element)
		_ = at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// Folder opens the folder called name, one element, in parent. The caller closes
// it.
func Folder(parent *os.Root, name string) (*os.Root, fs.FileInfo, error) {
	return persist(func() (*os.Root, fs.FileInfo, error) { return step(parent, name) })
}

// File opens the regular file called name, one element, in parent for reading.
// The caller closes it.
func File(parent *os.Root, name string) (*os.File, fs.FileInfo, error) {
	return persist(func() (*os.File, fs.FileInfo, error) { return stepFile(parent, name) })
}

// FileBelow opens the regular file at name, a clean relative slash path, below
// top for reading. The caller closes it.
func FileBelow(top *os.Root, name string) (*os.File, fs.FileInfo, error) {
	parent, err := Descend(top, path.Dir(name))
	if err != nil {
		return nil, nil, err
	}
	defer parent.Close()
	return File(parent, path.Base(name))
}

// persist calls open until it brings something else than ErrExchanged, but not
// for ever.
func persist[T any](open func() (T, fs.FileInfo, error)) (opened T, info fs.FileInfo, err error) {
	for range attempts {
		if opened, info, err = open(); !errors.Is(err, ErrExchanged) {
			break
		}
	}
	return opened, info, err
}

// step opens the folder called name in parent if it is no symbolic link.
func step(parent *os.Root, name string) (*os.Root, fs.FileInfo, error) {
	seen, err := parent.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !seen.IsDir() {
		return nil, nil, ErrNotServed
	}
	child, err := parent.OpenRoot(name)
	if err != nil {
		return nil, nil, err
	}
	opened, err := child.Stat(".")
	if err == nil && !os.SameFile(seen, opened) {
		err = ErrExchanged
	}
	if err != nil {
		_ = child.Close()
		return nil, nil, err
	}
	return child, opened, nil
}

// stepFile opens the regular file called name in parent if it is no symbolic
// link.
func stepFile(parent *os.Root, name string) (*os.File, fs.FileInfo, error) {
	seen, err := parent.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	// Looked at before the open: opening a device may already do something.
	if !seen.Mode().IsRegular() {
		return nil, nil, ErrNotServed
	}
	f, info, err := Following(parent, name)
	if err != nil {
		return nil, nil, err
	}
	if !os.SameFile(seen, info) {
		_ = f.Close()
		return nil, nil, ErrExchanged
	}
	return f, info, nil
}

// Following opens the regular file at name, following symbolic links that stay
// below top. It is for callers that know which file it must be and compare.
//
// O_NONBLOCK, because the open of a FIFO waits for a writer otherwise; for the
// regular files that come out of here it means nothing.
func Following(top *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := top.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotServed
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Missing reports whether err means that a client is to be told "not found":
// nothing has that name, or the server may not read it. A name that exists but
// may not be read is no different from none, or else names could be found out.
// Everything else is a fault of the machine.
func Missing(err error) bool {
	var number syscall.Errno
	if errors.As(err, &number) {
		switch number {
		case syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL, syscall.EILSEQ,
			syscall.ENXIO, syscall.ENODEV, syscall.EISDIR:
			return true
		}
		return number.Is(fs.ErrNotExist) || number.Is(fs.ErrPermission)
	}
	if errors.Is(err, fs.ErrClosed) {
		return false
	}
	// What is left of a path error are refusals of os.Root, above all of names
	// that lead out; it exports no value for them.
	var refused *fs.PathError
	return errors.As(err, &refused) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
