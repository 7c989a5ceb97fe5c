package static

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// maxEntries is how many names of one folder are read: a longer page is of no use
// to anybody, and making it must not occupy the machine.
const maxEntries = 10_000

// readFolders adds to l what is in the folder called name in each root. A name
// that an earlier root has hides the later ones'.
func (h *Handler) readFolders(l *listing, name string) error {
	seen := map[string]bool{}
	var first error
	for _, r := range h.roots {
		if err := h.readFolder(l, r, name, seen); err != nil && !nofollow.Missing(err) {
			first = cmp.Or(first, err)
		}
	}
	return first
}

func (h *Handler) readFolder(l *listing, r *root, name string, seen map[string]bool) error {
	top, err := r.acquire()
	if err != nil {
		return err
	}
	defer r.release(top)
	resolved, err := h.admit(top.Root, name)
	if err != nil {
		return err
	}
	dir, err := nofollow.Descend(top.Root, resolved)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := readNames(dir)
	if err != nil {
		return fmt.Errorf("static: list %q: %w", name, err)
	}
	// Whether the folder belongs to a project is the same for all its entries.
	project := h.project
	if project == ProjectAuto {
		project = ProjectNever
		if inProject(top.Root, resolved) {
			project = ProjectAlways
		}
	}
	for _, base := range names {
		if len(l.Entries) == maxEntries {
			l.Cut = true
			return nil
		}
		if seen[base] {
			continue
		}
		info, ok := h.visible(top.Root, dir, path.Join(name, base), base, project)
		if !ok {
			continue
		}
		seen[base] = true
		l.Entries = append(l.Entries, newListed(base, info))
	}
	return nil
}

// visible reports whether the entry base of dir would be served as name, and what
// it is. It asks in the same way as find and load, for the least possible work.
func (h *Handler) visible(top, dir *os.Root, name, base string, project ProjectRule) (fs.FileInfo, bool) {
	if hidden(top, name, project) || name == base && h.withholds(base) {
		return nil, false
	}
	info, err := dir.Lstat(base)
	if err != nil {
		return nil, false
	}
	if info.Mode()&fs.ModeSymlink != 0 && h.follow {
		resolved, err := h.admit(top, name)
		if err != nil {
			return nil, false
		}
		if info, err = top.Lstat(resolved); err != nil {
			return nil, false
		}
		if info.Mode().IsRegular() && !readableBy(top, resolved, info) {
			return nil, false
		}
		return info, info.IsDir() || info.Mode().IsRegular()
	}
	if info.IsDir() {
		return info, true
	}
	return info, info.Mode().IsRegular() && readableBy(dir, base, info)
}

// readableBy reports whether the server may read the file. Only where not
// everybody may is it tried.
func readableBy(dir *os.Root, name string, info fs.FileInfo) bool {
	if info.Mode().Perm()&0o444 == 0o444 {
		return true
	}
	f, _, err := nofollow.Following(dir, name)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// readNames returns the names in dir, not more than can be shown and one. Hidden
// ones count: what a client may not see may not cost more either.
func readNames(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(maxEntries + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}
