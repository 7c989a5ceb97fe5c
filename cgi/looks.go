package cgi

import (
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

// looks remembers what was found in scripts. Safe for concurrent use.
type looks struct {
	mu    sync.Mutex
	known map[string]look // by path
}

// A look is what was found in a file.
type look struct {
	file  fs.FileInfo
	start []byte
}

// maxLooks bounds how many scripts are remembered: there are few, but a client
// can ask for all files that there are.
const maxLooks = 256

// look completes s with what tells how to run it: what is remembered of the file
// that was seen in the folder, or what is found when it is opened.
func (l *looks) look(s *script, folder *os.Root, name string, seen fs.FileInfo) error {
	l.mu.Lock()
	known, ok := l.known[s.path]
	l.mu.Unlock()
	if ok && filestate.Same(seen, known.file) {
		s.file, s.start = known.file, known.start
		return nil
	}
	if err := s.look(folder, name, nil); err != nil {
		return err
	}
	// A file that was written just now may be written again without showing it: its
	// times are those of the kernel's clock, which stands still in between.
	if time.Since(s.file.ModTime()) > time.Second {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.known == nil || len(l.known) >= maxLooks {
			l.known = map[string]look{}
		}
		l.known[s.path] = look{s.file, s.start}
	}
	return nil
}
