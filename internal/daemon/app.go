package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
)

// app is a site that a Python application makes, with the files that it declares
// served beside it.
type app struct {
	found  *detect.Result
	config pyapp.Config
	pool   pool // nil if the code could not be loaded yet, which only development allows
	log    *slog.Logger
	source *source                          // nil unless the source is watched, which makes it development
	broken atomic.Pointer[pyapp.StartError] // of the source as it is now

	router router.Router
	// mounts are all that were ever in a table, by what they serve. They stay open
	// until the end: a request that found one in an old table may still be on its
	// way to it.
	mounts map[string]*static.Handler

	drain, interrupt time.Duration
}

// pool is what an app needs of a *pyapp.Pool.
type pool interface {
	http.Handler
	Info() pyapp.Info
	// Reload returns an error if the old code goes on serving.
	Reload(ctx context.Context) error
	// Shutdown has the workers end by themselves, until ctx ends.
	Shutdown(ctx context.Context) error
	Close() error
}

// look finds out what the configuration's target is. Nothing is started.
func look(cfg *config.App) (*detect.Result, error) {
	dir, callable, err := target(cfg.Target)
	if err != nil {
		return nil, err
	}
	found, err := detect.Folder(dir, detect.Options{App: detect.Named{Value: callable}, Python: detect.Named{Value: cfg.Python}})
	if err != nil {
		return nil, detectError(dir, err)
	}
	return found, nil
}

// target tells a folder from a file and from module:callable. Folders and files
// win, because what is there can be seen.
func target(text string) (dir, callable string, err error) {
	if text == "" {
		return ".", "", nil
	}
	info, err := os.Stat(text)
	switch {
	case err == nil && info.IsDir():
		return text, "", nil
	case err == nil && strings.HasSuffix(text, ".py"):
		return filepath.Dir(text), strings.TrimSuffix(filepath.Base(text), ".py"), nil
	case err == nil:
		return "", "", &Error{
			Err:  fmt.Errorf("cannot run %s: it is no folder and no Python module", text),
			Hint: runUsage,
		}
	case strings.ContainsRune(text, filepath.Separator):
		return "", "", &Error{Err: fmt.Errorf("cannot run %s: %w", text, cause(err)), Hint: runUsage}
	}
	return ".", text, nil
}

const runUsage = "name a project folder, or an application as module:callable"

// detectError is detect's answer for the person who typed the command.
func detectError(dir string, err error) *Error {
	var d *detect.Error
	if errors.As(err, &d) {
		return &Error{Err: fmt.Errorf("cannot run %w", d), Hint: d.Detail()}
	}
	return &Error{Err: fmt.Errorf("cannot run %s: %w", dir, cause(err))}
}

// openApp starts the application that was found. The process is who's already.
func openApp(cfg *config.Config, found *detect.Result, who *account, log *slog.Logger) (*app, error) {
	c := &cfg.App
	a := &app{found: found, log: log, drain: cfg.Drain, interrupt: cfg.InterruptDrain}
	a.config = pyapp.Config{
		Name:           found.Name,
		Dir:            found.ImportDir,
		App:            found.App,
		Python:         found.Python.Path,
		Env:            append(os.Environ(), append(found.Env, who.env()...)...),
		Workers:        c.Workers,
		Threads:        c.Threads,
		NoPreload:      !c.Preload,
		Slow:           limit(c.Slow),
		Timeout:        limit(c.Timeout),
		StallTimeout:   limit(c.StallTimeout),
		StartTimeout:   limit(c.StartTimeout),
		MaxBody:        bound(c.MaxBody),
		SpoolMemory:    int64(c.SpoolMemory),
		ResponseSpool:  int64(c.ResponseSpool),
		QueuePerWorker: c.Queue,
		QueueWait:      limit(c.QueueWait),
		Scheme:         scheme,
		Log:            log,
	}
	if c.Reload {
		if err := a.develop(); err != nil {
			return nil, err
		}
	}
	// The source is watched by now: what is saved while it is imported counts.
	if err := a.load(context.Background()); err != nil && a.broken.Load() == nil {
		_ = a.close(context.Background()) // err is what to tell
		return nil, appError(err)
	}
	if err := a.route(); err != nil {
		_ = a.close(context.Background()) // as above
		return nil, err
	}
	return a, nil
}

// developWorkers is the number of processes in development, where none is given.
// Few are loaded soon; with one alone, a page that streams or that asks the site
// itself would hold up all others.
const developWorkers = 2

// develop makes the application one that somebody works at.
func (a *app) develop() error {
	a.config.Debug = isDeveloper
	if a.config.Workers == 0 {
		a.config.Workers = developWorkers
	}
	var err error
	a.source, err = watchSource(a.found, a.log)
	return err
}

// load loads the application's present code, and notes what is wrong with it.
func (a *app) load(ctx context.Context) error {
	var err error
	if a.pool != nil {
		err = a.pool.Reload(ctx)
	} else if opened, failed := pyapp.OpenContext(ctx, a.config); failed == nil {
		a.pool = opened
	} else {
		err = failed
	}
	if a.source != nil && ctx.Err() == nil {
		start, _ := errors.AsType[*pyapp.StartError](err)
		a.broken.Store(start)
	}
	return err
}

// bound turns a configuration's "no bytes at all" into what pyapp understands,
// where zero is the default.
func bound(s config.Size) int64 { return max(1, int64(s)) }

// scheme is what the visitor used. The field can be believed: the middleware
// that stands before every application has dropped it from everybody who is not
// a trusted proxy.
func scheme(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}

// appError is pyapp's answer for the person who typed the command: the line, the
// hint, and the traceback in full, because it is their code.
func appError(err error) *Error {
	e := &Error{Err: err}
	var start *pyapp.StartError
	if errors.As(err, &start) {
		e.Err, e.Hint, e.Detail = start, start.Hint, start.Traceback
	}
	return e
}

// route builds the table from what the application declares and swaps it in.
func (a *app) route() error {
	var routes []router.Route
	var root http.Handler
	var mounts []pyapp.StaticMount
	if a.pool != nil {
		root, mounts = a.pool, a.pool.Info().Static
	}
	if a.source != nil {
		root = &stage{app: root, broken: &a.broken, dir: realDir(a.found.Dir)}
	}
	for _, m := range mounts {
		h, err := a.mount(m)
		if err != nil {
			// The application still answers for these addresses, as it would elsewhere.
			a.log.Warn("static files are left to the application", "url", m.URL, "error", err)
			continue
		}
		routes = append(routes, router.Route{Prefix: m.URL, Handler: h})
	}
	routes = append(routes, router.Route{Prefix: "/", Handler: root})
	table, err := router.NewTable(routes)
	if err != nil {
		return fmt.Errorf("daemon: route: %w", err)
	}
	a.router.Swap(table)
	return nil
}

// realDir is dir without links, as Python names what lies in it.
func realDir(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// mount opens the folders of m, or returns what has served them before: its
// cache is warm, and reloads rarely change what is declared.
func (a *app) mount(m pyapp.StaticMount) (*static.Handler, error) {
	key := m.URL + "\x00" + strings.Join(m.Dirs, "\x00")
	if h := a.mounts[key]; h != nil {
		return h, nil
	}
	h, err := static.Open(static.Config{Roots: m.Dirs, Prefix: m.URL, Log: a.log})
	if err != nil {
		return nil, err
	}
	if a.mounts == nil {
		a.mounts = map[string]*static.Handler{}
	}
	a.mounts[key] = h
	return h, nil
}

func (a *app) handler() http.Handler { return &a.router }

func (a *app) asksOrigin() bool { return true }

// reload starts the application's present code beside the old and switches when
// it works.
func (a *app) reload(ctx context.Context) error {
	if err := a.load(ctx); err != nil {
		return err
	}
	return a.route()
}

// changed implements site.
func (a *app) changed() <-chan string {
	if a.source == nil {
		return nil
	}
	return a.source.changed
}

// fallback implements site.
func (a *app) fallback() string {
	switch {
	case a.pool == nil:
		return "nothing is served until it is mended; browsers on this machine show why"
	case a.source != nil:
		return "browsers on this machine show this; to others the old version goes on serving"
	}
	return "the old version goes on serving"
}

// risks implements site.
func (a *app) risks() []string {
	var all []string
	if a.pool != nil && a.pool.Info().Debug {
		if a.pool.Info().Framework.Name == string(detect.Django) {
			all = append(all, "DEBUG is on and everybody on the network can reach this: visitors see settings and code; set DEBUG = False")
		} else {
			all = append(all, "debug mode is on and everybody on the network can reach this: visitors may see more than they should; it is for development")
		}
	}
	if a.source != nil {
		all = append(all, "--reload is for development and everybody on the network can reach this: what you save is what they get")
	}
	return all
}

// close implements site: workers that have nothing to do any more may run what
// Python has them run at their end.
func (a *app) close(ctx context.Context) error {
	var errs []error
	if a.source != nil {
		errs = append(errs, a.source.Close())
	}
	if a.pool != nil {
		_ = a.pool.Shutdown(ctx) // what does not end in time is ended by Close
		errs = append(errs, a.pool.Close())
	}
	for _, m := range a.mounts {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// patience implements site: whoever presses Ctrl-C waits for the end.
func (a *app) patience(sig os.Signal) time.Duration {
	if sig == syscall.SIGINT {
		return a.interrupt
	}
	return a.drain
}

// announce says what was found and how it runs.
func (a *app) announce(s *screen, begun time.Time, addrs []address) {
	if a.pool == nil {
		s.line("found", "%s (%s) %s", a.found.App, a.found.Framework, place(a.found))
		s.failure(a.broken.Load())
	} else {
		a.announceRunning(s)
	}
	if a.source != nil {
		s.line("reload", "watching %s; new code in under a second", count(a.source.Folders(), "folder"))
	}
	label, since := "ready", "in "+seconds(time.Since(begun))
	if a.pool == nil {
		label, since = "waiting", "for the code to be mended, and shows what is wrong"
	}
	for i, addr := range addrs {
		if i == 0 {
			s.line(label, "%-28s %s", addr.url, since)
		} else {
			s.line("", "%s", addr.url)
		}
	}
}

func (a *app) announceRunning(s *screen) {
	info := a.pool.Info()
	what := cmp.Or(info.Framework.Name, string(a.found.Framework))
	if info.Framework.Version != "" {
		what += " " + info.Framework.Version
	}
	kind := "application"
	if a.found.Framework == detect.Django {
		kind = "project"
	}
	files := ""
	if len(a.found.Files) > 0 {
		files = " (" + strings.Join(a.found.Files, ", ") + ")"
	}
	s.line("found", "%s %s %s%s, %s %s %s", what, kind, a.found.Name, files, pythonName(info.Implementation), info.Python, place(a.found))
	for _, m := range info.Static {
		s.line("static", "%s → %s, served directly", m.URL, count(len(m.Dirs), "folder"))
	}
	threads := ""
	if info.Threads > 1 {
		threads = fmt.Sprintf(", %d threads each", info.Threads)
	}
	s.line("workers", "%d × %s%s", info.Workers, a.found.App, threads)
}

// place is where the interpreter lies, as short as it is clear.
func place(found *detect.Result) string {
	venv := found.Python.Venv
	if venv == "" {
		return "(" + found.Python.Path + ")"
	}
	if rel, err := filepath.Rel(found.Dir, venv); err == nil && filepath.IsLocal(rel) {
		venv = rel
	}
	return "in " + venv
}

// pythonName is how people call an implementation.
func pythonName(implementation string) string {
	if implementation == "" || implementation == "CPython" {
		return "Python"
	}
	return implementation
}

var _ site = (*app)(nil)
