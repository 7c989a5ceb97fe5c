package pagescript

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
)

const (
	// recheck is how old a look at the modules beside a page may be. A page's own
	// file is looked at for every request.
	recheck = 250 * time.Millisecond
	// maxDepth bounds how deep packages are looked into.
	maxDepth = 8
)

// A modules is a look at the modules in a folder: the sources in it and in the
// packages below it. Equal values mean that nothing has changed.
type modules uint64

// lookAt looks at the modules in the folder, and says when the newest was written.
func lookAt(dir string) (seen modules, newest time.Time) {
	h := fnv.New64a()
	var add func(dir string, depth int)
	add = func(dir string, depth int) {
		entries, err := os.ReadDir(dir) // sorted; what can be read counts
		if err != nil && len(entries) == 0 {
			return
		}
		for _, entry := range entries {
			name := entry.Name()
			switch {
			case entry.IsDir() && depth < maxDepth && isPackage(filepath.Join(dir, name)):
				add(filepath.Join(dir, name), depth+1)
			case isSource(name) && !entry.IsDir():
				// Through links: Python follows them.
				if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
					write(h, filepath.Join(dir, name), info)
					if info.ModTime().After(newest) {
						newest = info.ModTime()
					}
				}
			}
		}
	}
	add(dir, 0)
	return modules(h.Sum64()), newest
}

func write(h io.Writer, path string, info fs.FileInfo) {
	b := append([]byte(path), 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(info.Size()))
	b = binary.LittleEndian.AppendUint64(b, uint64(info.ModTime().UnixNano()))
	_, _ = h.Write(b) // a hash takes everything
}

func isPackage(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, "__init__.py"))
	return err == nil
}

// folders remembers looks at the modules of folders. Requests see them in the
// order in which they were taken. The zero value is ready. Safe for concurrent use.
type folders struct {
	user *cgi.User // as whom they are looked at

	mu    sync.Mutex
	looks map[string]*look // by folder; those of pages that have been loaded
}

type look struct {
	mu     sync.Mutex
	seen   modules
	newest time.Time
	taken  time.Time
}

// look returns what the folder holds, by a look that is not older than age.
func (f *folders) look(dir string, age time.Duration) modules {
	seen, _ := f.lookAgain(dir, age)
	return seen
}

// newest returns when the newest module in the folder was written.
func (f *folders) newest(dir string) time.Time {
	_, newest := f.lookAgain(dir, 0)
	return newest
}

func (f *folders) lookAgain(dir string, age time.Duration) (modules, time.Time) {
	f.mu.Lock()
	if f.looks == nil || len(f.looks) >= maxSources {
		f.looks = map[string]*look{}
	}
	l := f.looks[dir]
	if l == nil {
		l = &look{}
		f.looks[dir] = l
	}
	f.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.taken.IsZero() || now.Sub(l.taken) >= age {
		// A folder that cannot be looked at has no modules.
		_ = f.user.Do(func() error { l.seen, l.newest = lookAt(dir); return nil })
		l.taken = now
	}
	return l.seen, l.newest
}
