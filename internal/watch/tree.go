package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// tree is what was found below the roots at one moment.
type tree struct {
	folders map[string]area
	files   map[string]os.FileInfo // those that count
	as      func(string, func())   // Config.As
	roots   []os.FileInfo          // in the order of the roots; nil for one that is missing
}

// look walks the roots. enter is called for each folder before it is read, so
// that what happens in it afterwards is either seen here or told by a watch; its
// error ends the walk. What cannot be read is as good as not there: folders come
// and go while this runs.
func look(roots []string, enter func(dir string) error, as func(string, func())) (*tree, error) {
	t := &tree{as: as, folders: map[string]area{}, files: map[string]os.FileInfo{}, roots: make([]os.FileInfo, len(roots))}
	for i, root := range roots {
		info, err := os.Stat(root)
		if err != nil || !info.IsDir() {
			continue
		}
		t.roots[i] = info
		if err := t.walk(root, areaBelow(plain, filepath.Base(root)), true, enter); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) walk(dir string, a area, isRoot bool, enter func(string) error) error {
	if _, seen := t.folders[dir]; seen || !isRoot && isEnvironment(dir) {
		return nil // seen: one root lies in another
	}
	if err := enter(dir); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	} else if err != nil {
		return err
	}
	t.folders[dir] = a
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			if skips(e.Name()) {
				continue
			}
			walk := func() { err = t.walk(path, areaBelow(a, e.Name()), false, enter) }
			if isRoot && t.as != nil {
				t.as(path, walk)
			} else {
				walk()
			}
			if err != nil {
				return err
			}
		case counts(a, e.Name()):
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				t.files[path] = info
			}
		}
	}
	return nil
}

// difference calls yield for each file that is new, gone or another in t,
// compared with old.
func (t *tree) difference(old *tree, yield func(file string)) {
	for path, info := range t.files {
		before, ok := old.files[path]
		if !ok || !before.ModTime().Equal(info.ModTime()) || before.Size() != info.Size() || !os.SameFile(before, info) {
			yield(path)
		}
	}
	for path := range old.files {
		if _, ok := t.files[path]; !ok {
			yield(path)
		}
	}
}

// stale reports whether one of the roots is not the folder any more that was
// walked.
func (t *tree) stale(roots []string) bool {
	for i, root := range roots {
		info, err := os.Stat(root)
		there, was := err == nil && info.IsDir(), t.roots[i] != nil
		if there != was || there && !os.SameFile(info, t.roots[i]) {
			return true
		}
	}
	return false
}
