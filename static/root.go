package static

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// reidentify is how long a root is used before its path is looked at again: a
// site that is rebuilt as a new folder, or switched by a symbolic link, is seen
// after this time.
const reidentify = time.Second

// root is one folder whose files are served, by its path. What stands at that
// path may be exchanged at any time; folder gives the present one.
// Safe for concurrent use.
type root struct {
	path string // absolute
	now  func() time.Time

	mu      sync.Mutex
	current *folder // nil while nothing is at path
	checked time.Time
	closed  bool
}

// folder is an open root folder that is closed when its last user leaves.
type folder struct {
	*os.Root
	info fs.FileInfo
	uses int // guarded by root.mu; root.current counts as one
}

// openRoot opens the folder at path, which must exist.
func openRoot(path string, now func() time.Time) (*root, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("static: open root %q: %w", path, err)
	}
	r := &root{path: abs, now: now, checked: now()}
	if r.current, err = openFolder(abs); err != nil {
		return nil, fmt.Errorf("static: open root: %w", err)
	}
	return r, nil
}

func openFolder(path string) (*folder, error) {
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	info, err := dir.Stat(".")
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	return &folder{Root: dir, info: info, uses: 1}, nil
}

// acquire returns the folder that is at the root's path; the caller gives it
// back with release. The error satisfies errors.Is(err, fs.ErrNotExist) if
// there is none, and fs.ErrClosed after close.
func (r *root) acquire() (*folder, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fs.ErrClosed
	}
	if now := r.now(); now.Sub(r.checked) >= reidentify {
		r.checked = now
		r.identifyAgain()
	}
	if r.current == nil {
		return nil, fs.ErrNotExist
	}
	r.current.uses++
	return r.current, nil
}

// identifyAgain exchanges current if another folder has taken the path. It runs
// under mu: everybody who waits wants its outcome.
func (r *root) identifyAgain() {
	info, err := os.Stat(r.path)
	if err == nil && r.current != nil && os.SameFile(info, r.current.info) {
		return
	}
	if r.current != nil {
		r.drop(r.current)
	}
	// An error leaves nil: the folder is being exchanged just now, or is gone.
	r.current, _ = openFolder(r.path)
}

// release gives back what acquire returned.
func (r *root) release(f *folder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(f)
}

func (r *root) drop(f *folder) {
	if f.uses--; f.uses == 0 {
		_ = f.Close() // opened for reading: there is nothing to lose
	}
}

// close ends the use of the root; folders still in use close when released.
func (r *root) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.current != nil {
		r.drop(r.current)
		r.current = nil
	}
}
