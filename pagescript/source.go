package pagescript

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/filestate"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// callable is the name of the application that makes a page one.
const callable = "application"

// maxSource is how much of a source is looked at, in bytes: more than anybody
// writes.
const maxSource = 1 << 20

// maxSources bounds how many sources are remembered.
const maxSources = 4096

// sources knows which pages define an application, each in the state in which it
// was looked at. The zero value is ready. Safe for concurrent use.
type sources struct {
	mu    sync.Mutex
	known map[string]source // by path
}

type source struct {
	file  fs.FileInfo
	binds bool
}

// errBeingWritten is what comes of reading a file that changes meanwhile.
var errBeingWritten = errors.New("pagescript: the file is being written")

// bindsApplication reports whether the open file defines an application. The error
// is errBeingWritten or a fault of the machine.
func (s *sources) bindsApplication(script *cgi.Script) (bool, error) {
	s.mu.Lock()
	known, ok := s.known[script.Path]
	s.mu.Unlock()
	if ok && filestate.Same(known.file, script.Info) {
		return known.binds, nil
	}
	text, err := io.ReadAll(io.NewSectionReader(script.Text, 0, maxSource))
	if err != nil {
		return false, fmt.Errorf("pagescript: read %s: %w", script.Path, err)
	}
	if int64(len(text)) != min(script.Info.Size(), maxSource) {
		return false, errBeingWritten
	}
	binds := detect.Binds(text, callable)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSources {
		s.known = map[string]source{}
	}
	s.known[script.Path] = source{script.Info, binds}
	return binds, nil
}

// forget has every source be looked at anew.
func (s *sources) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = nil
}

// unreadable answers for a page whose source cannot be read.
type unreadable struct {
	log *slog.Logger
	err error
}

// ServeHTTP implements http.Handler.
func (u unreadable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.log.Error("a page cannot be read", "request", requestid.Of(w), "path", r.URL.Path, "error", u.err)
	errorpage.Write(w, r, http.StatusInternalServerError, "")
}

var _ http.Handler = unreadable{}
