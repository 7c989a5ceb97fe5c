package static

import (
	"io/fs"
	"os"
	"path"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// location says which file answers a path and in which state it and its encoded
// neighbours are: two equal locations give the same response.
type location struct {
	root *root  // nil: none
	name string // without symbolic links, below the root
	// ids holds the file's own, then its neighbours' in the order of codings.
	ids [1 + neighbours]fileID
}

// finding is what stands at a path.
type finding uint8

const (
	foundNothing finding = iota
	foundFile
	foundFolder // without an index file, or asked for without its slash
)

// find looks name up in all roots; the first that has it wins. With slash it must
// be a folder, and the folder's index file is what is found if there is one.
// Nothing is opened for reading. The error is a fault of the machine.
func (h *Handler) find(name string, slash bool) (location, finding, error) {
	best := foundNothing
	for _, r := range h.roots {
		loc, found, err := h.findIn(r, name, slash)
		if err != nil && !nofollow.Missing(err) {
			return location{}, foundNothing, err
		}
		if found == foundFile {
			return loc, foundFile, nil
		}
		best = max(best, found)
		if best == foundFolder && !slash {
			break // an earlier root's folder comes before a later one's file
		}
	}
	return location{}, best, nil
}

func (h *Handler) findIn(r *root, name string, slash bool) (location, finding, error) {
	top, err := r.acquire()
	if err != nil {
		return location{}, foundNothing, err
	}
	defer r.release(top)
	resolved, err := h.admit(top.Root, name)
	if err != nil {
		return location{}, foundNothing, err
	}
	if slash {
		return h.findIndex(r, top.Root, name, resolved)
	}
	loc, info, err := look(r, top.Root, resolved)
	switch {
	case err != nil:
		return location{}, foundNothing, err
	case info.IsDir():
		return location{}, foundFolder, nil
	case !info.Mode().IsRegular():
		return location{}, foundNothing, nil
	}
	return loc, foundFile, nil
}

// look says what the name resolved stands for and, if that is a regular file,
// describes it.
func look(r *root, top *os.Root, resolved string) (location, fs.FileInfo, error) {
	parent, err := nofollow.Descend(top, path.Dir(resolved))
	if err != nil {
		return location{}, nil, err
	}
	defer parent.Close()
	info, err := parent.Lstat(path.Base(resolved))
	if err != nil || !info.Mode().IsRegular() {
		return location{}, info, err
	}
	return locate(r, parent, resolved, info), info, nil
}

// findIndex looks for an index file in the folder name, which is resolved
// without its links.
func (h *Handler) findIndex(r *root, top *os.Root, name, resolved string) (location, finding, error) {
	dir, err := nofollow.Descend(top, resolved)
	if err != nil {
		return location{}, foundNothing, err // also where it is a file: that has no slash
	}
	_ = dir.Close()
	for _, index := range h.index {
		admitted, err := h.admit(top, path.Join(name, index))
		if err == nil {
			var loc location
			var info fs.FileInfo
			loc, info, err = look(r, top, admitted)
			if err == nil && info.Mode().IsRegular() {
				return loc, foundFile, nil
			}
		}
		if err != nil && !nofollow.Missing(err) {
			return location{}, foundNothing, err
		}
	}
	return location{}, foundFolder, nil
}

// admit returns the name without symbolic links under which name may be served,
// or an error that missing understands. Without FollowSymlinks that is name
// itself, and whoever opens it meets no link.
func (h *Handler) admit(top *os.Root, name string) (string, error) {
	if hidden(top, name, h.project) {
		return "", fs.ErrNotExist
	}
	if err := h.withheld(top, name); err != nil {
		return "", err
	}
	if !h.follow {
		return name, nil
	}
	resolved, err := resolve(top, name)
	if err != nil {
		return "", err
	}
	if resolved == name {
		return name, nil
	}
	if hidden(top, resolved, h.project) {
		return "", fs.ErrNotExist
	}
	return resolved, h.withheld(top, resolved)
}

// locate describes the regular file of the name resolved, which lies in parent and
// has info.
func locate(r *root, parent *os.Root, resolved string, info fs.FileInfo) location {
	loc := location{root: r, name: resolved}
	loc.ids[0] = identify(info)
	for i, c := range codings() {
		neighbour, err := parent.Lstat(path.Base(resolved) + c.ending)
		if err == nil && usable(neighbour, info) {
			loc.ids[1+i] = identify(neighbour)
		}
	}
	return loc
}

// usable reports whether neighbour may be sent in place of the file that info
// describes: a regular file that is not older. Somebody who edits the file and
// does not compress it again gets what was edited. Compared in whole seconds,
// since some tools give the neighbour the original's time in seconds.
func usable(neighbour, info fs.FileInfo) bool {
	return neighbour.Mode().IsRegular() && neighbour.Size() > 0 && neighbour.ModTime().Unix() >= info.ModTime().Unix()
}
