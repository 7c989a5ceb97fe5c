package pagescript

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Handler serves a folder of pages. Safe for concurrent use. Made by Open.
type Handler struct {
	config       Config
	dir          string
	scripts      *cgi.Handler
	applications *applications
	sources      sources
}

// Open returns a Handler for c. Nothing runs before it is asked for. The error
// says which setting or folder is wrong. The caller calls Close or Shutdown in the
// end.
func Open(c Config) (*Handler, error) {
	c = c.withDefaults()
	dir, err := filepath.Abs(c.Scripts.Dir)
	if err != nil {
		return nil, fmt.Errorf("pagescript: open %q: %w", c.Scripts.Dir, err)
	}
	h := &Handler{config: c, dir: dir}
	scripts := c.Scripts
	scripts.Divert = h.divert
	if scripts.Redirect == nil {
		scripts.Redirect = h
	}
	if h.scripts, err = cgi.Open(scripts); err != nil {
		return nil, fmt.Errorf("pagescript: %w", err)
	}
	h.applications = newApplications(&h.config)
	return h, nil
}

// Close ends everything that runs, at once. Requests are answered with 503 from
// then on.
func (h *Handler) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return h.Shutdown(ctx)
}

// Shutdown is Close, but has the workers of applications that have no requests end
// by themselves, until ctx ends. Close or Shutdown is called once.
func (h *Handler) Shutdown(ctx context.Context) error {
	scripts := make(chan error)
	go func() { scripts <- h.scripts.Close() }()
	h.applications.shutdown(ctx)
	return <-scripts
}

// Refresh has every page that is asked for from now on be looked at and loaded
// anew, whether it has changed or not. Requests that are under way go on.
func (h *Handler) Refresh() {
	h.sources.forget()
	h.applications.refresh()
}

// Application is a page with an application, whose workers run.
type Application struct {
	Name    string // the path of the page
	Info    pyapp.Info
	Workers pyapp.Status
}

// Applications returns those whose workers run, in the order of their names.
func (h *Handler) Applications() []Application {
	var all []Application
	for _, v := range h.applications.running() {
		all = append(all, Application{v.name, v.pool.Info(), v.pool.Status()})
	}
	slices.SortFunc(all, func(a, b Application) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Stacks asks the workers of all applications what they are doing, by the paths of
// the pages. It does not take long.
func (h *Handler) Stacks(ctx context.Context) map[string][]pyapp.WorkerStacks {
	return h.applications.stacks(ctx)
}

// ServeHTTP answers r with the page that its path names.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !namesPage(r.URL.Path) {
		h.config.Files.ServeHTTP(w, r)
		return
	}
	h.scripts.ServeHTTP(w, r)
}

// namesPage reports whether a path may name a page: whether one of its elements,
// decoded, ends like one. Letters are compared in any case, because so do some
// file systems, and what is no page in the end is not found rather than shown.
func namesPage(path string) bool {
	for element := range strings.SplitSeq(path, "/") {
		if isSource(element) {
			return true
		}
	}
	return false
}

func isSource(name string) bool { return strings.EqualFold(filepath.Ext(name), ".py") }

// divert says who answers for a file that was found: nil if it is a script, which
// is run.
func (h *Handler) divert(r *http.Request, s *cgi.Script) http.Handler {
	if !h.isPage(s.Path) {
		return h.config.NotFound
	}
	if wait := settles(r, s.Info); wait > 0 {
		return &settling{h.scripts, wait}
	}
	application, err := h.sources.bindsApplication(s)
	switch {
	case errors.Is(err, errBeingWritten):
		return &settling{h.scripts, settled}
	case err != nil:
		return unreadable{h.config.Scripts.Log, err}
	case !application:
		return nil
	}
	return &page{of: h.applications, path: s.Path, name: s.Name, info: s.Info}
}

// isPage reports whether the file at path, below the folder, is a page. Names that
// begin with an underscore are those of modules beside pages; what lies in a
// package or a virtual environment is a part of that.
func (h *Handler) isPage(path string) bool {
	if !isSource(path) {
		return false
	}
	rel, err := filepath.Rel(h.dir, path)
	if err != nil {
		return false
	}
	at := h.dir
	elements := strings.Split(rel, string(filepath.Separator))
	for i, element := range elements {
		if element[0] == '_' {
			return false
		}
		if i == len(elements)-1 {
			break
		}
		at = filepath.Join(at, element)
		for _, sign := range []string{"__init__.py", "pyvenv.cfg"} {
			if _, err := os.Lstat(filepath.Join(at, sign)); err == nil {
				return false
			}
		}
	}
	return true
}

var _ http.Handler = (*Handler)(nil)
