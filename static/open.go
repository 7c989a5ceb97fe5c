package static

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// os.Root keeps every operation inside a folder but follows symbolic links that
// stay inside. The functions here follow none: each step looks at a name without
// following it, opens it, and goes on only if what was opened is what was seen.
// Whatever is exchanged meanwhile, the answer can only be "not found".

var (
	// errNotServed is what a name comes to that exists but is no regular file and
	// no folder.
	errNotServed = fmt.Errorf("not a regular file or folder: %w", fs.ErrNotExist)
	// errExchanged is what comes of a name that became another file between the
	// look and the open.
	errExchanged = fmt.Errorf("exchanged while being opened: %w", fs.ErrNotExist)
)

// attempts is how often a name is tried that is exchanged meanwhile. Programs
// replace files by renaming, so to fail at the first would be a "not found" for a
// file that was always there.
const attempts = 8

// maxLinks is how many symbolic links one name may lead through: Linux allows
// as many.
const maxLinks = 40

// descend opens the folder dir, a clean relative slash path or ".", below top.
// The caller closes it.
func descend(top *os.Root, dir string) (*os.Root, error) {
	at, err := top.OpenRoot(".")
	if err != nil || dir == "." {
		return at, err
	}
	for element := range strings.SplitSeq(dir, "/") {
		next, err := persist(func() (*os.Root, error) { return step(at, element) })
		_ = at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// persist calls open until it brings something else than errExchanged, but not
// for ever.
func persist[T any](open func() (T, error)) (opened T, err error) {
	for range attempts {
		if opened, err = open(); !errors.Is(err, errExchanged) {
			break
		}
	}
	return opened, err
}

// step opens the folder called name in parent if it is no symbolic link.
func step(parent *os.Root, name string) (*os.Root, error) {
	seen, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !seen.IsDir() {
		return nil, errNotServed
	}
	child, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := child.Stat(".")
	if err == nil && !os.SameFile(seen, opened) {
		err = errExchanged
	}
	if err != nil {
		_ = child.Close()
		return nil, err
	}
	return child, nil
}

// openFile opens the regular file at name, a clean relative slash path, below
// top.
func openFile(top *os.Root, name string) (*os.File, fs.FileInfo, error) {
	parent, err := descend(top, path.Dir(name))
	if err != nil {
		return nil, nil, err
	}
	defer parent.Close()
	var info fs.FileInfo
	f, err := persist(func() (f *os.File, err error) {
		f, info, err = stepFile(parent, path.Base(name))
		return f, err
	})
	return f, info, err
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
		return nil, nil, errNotServed
	}
	f, info, err := openFollowing(parent, name)
	if err != nil {
		return nil, nil, err
	}
	if !os.SameFile(seen, info) {
		_ = f.Close()
		return nil, nil, errExchanged
	}
	return f, info, nil
}

// openFollowing opens the regular file at name, following symbolic links that
// stay below top. It is for callers that know which file it must be and compare.
//
// O_NONBLOCK, because the open of a FIFO waits for a writer otherwise; for the
// regular files that come out of here it means nothing.
func openFollowing(top *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := top.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotServed
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// resolve returns the name without symbolic links of what name leads to. Links
// that are absolute or lead out of top are refused. The answer is a name like
// any other: whoever opens it does so with openFile or descend, which follow
// nothing, so that an exchange meanwhile gains nothing.
func resolve(top *os.Root, name string) (string, error) {
	var done []string
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			if len(done) == 0 {
				return "", errNotServed
			}
			done = done[:len(done)-1]
			continue
		}
		at := path.Join(path.Join(done...), element)
		info, err := top.Lstat(at)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = append(done, element)
			continue
		}
		if links++; links > maxLinks {
			return "", errNotServed
		}
		target, err := top.Readlink(at)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			return "", errNotServed
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return path.Join(append([]string{"."}, done...)...), nil
}

// missing reports whether err means that a client is to be told "not found":
// nothing has that name, or the server may not read it. A name that exists but
// may not be read is no different from none, or else names could be found out.
// Everything else is a fault of the machine.
func missing(err error) bool {
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
