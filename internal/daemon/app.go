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
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// app is a site that a Python application makes, with the files that it declares
// served beside it.
type app struct {
	project *project
	who     *account
	groups  *cgroup.Tree
	log     *slog.Logger
	open    func(context.Context, pyapp.Config) (pool, error)
	started *config.Loaded                   // the configuration of the start, which some settings stay with
	source  *source                          // nil unless the source is watched, which makes it development
	broken  atomic.Pointer[pyapp.StartError] // of the source as it is now

	// What runs now. A reload changes it, one at a time.
	loaded *config.Loaded
	found  *detect.Result
	config pyapp.Config

	// nil while it is halted, or if the code could not be loaded yet, which only
	// development allows.
	current atomic.Pointer[version]
	drains  sync.WaitGroup  // versions that were replaced
	ctx     context.Context // ends when they are to end at once
	cancel  context.CancelFunc

	// Of one of several, which can be halted by itself.
	halted   atomic.Pointer[time.Time]       // since when; nil: it is not
	loading  atomic.Bool                     // its code is being loaded
	failure  atomic.Pointer[webapps.Failure] // of the last time; nil if that went well
	draining atomic.Int32                    // versions that were replaced and have not ended
	tell     func()                          // is called when one of these has changed

	meter  *metrics.Meter
	router router.Router
	// mounts are all that were ever in a table, by what they serve. They stay open
	// until the end: a request that found one in an old table may still be on its
	// way to it.
	mounts map[string]*static.Handler

	patient atomic.Pointer[config.Config] // what says how long requests may go on
}

// pool is what an app needs of a *pyapp.Pool.
type pool interface {
	http.Handler
	Info() pyapp.Info
	// Reload returns an error if the old code goes on serving.
	Reload(ctx context.Context) error
	// Stacks asks all workers what they are doing. It does not take long.
	Stacks(ctx context.Context) []pyapp.WorkerStacks
	Status() pyapp.Status
	// Shutdown has the workers end by themselves, until ctx ends.
	Shutdown(ctx context.Context) error
	Close() error
}

// newApp is an application that is not started yet.
func newApp(p *project, l *config.Loaded, found *detect.Result, who *account, log *slog.Logger) *app {
	a := &app{
		project: p, who: who, log: log, started: l, loaded: l, found: found, meter: metrics.New(), tell: func() {},
		open: func(ctx context.Context, c pyapp.Config) (pool, error) { return pyapp.OpenContext(ctx, c) },
	}
	a.patient.Store(&l.Config)
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// start starts it. The process is a.who's already.
func (a *app) start(ctx context.Context) error {
	if a.started.Config.App.Reload {
		var err error
		if a.source, err = watchSource(a.found, a.log); err != nil {
			return err
		}
	}
	// The source is watched by now: what is saved while it is imported counts.
	if err := a.load(ctx, a.loaded, a.found); err != nil && a.broken.Load() == nil {
		_ = a.close(ctx) // err is what to tell
		return appError(err)
	}
	if err := a.route(); err != nil {
		_ = a.close(ctx) // as above
		return err
	}
	return nil
}

// load loads the application's present code, with this configuration, and notes
// what is wrong with it.
func (a *app) load(ctx context.Context, l *config.Loaded, found *detect.Result) error {
	err := a.exchange(ctx, l, found)
	if a.source != nil && ctx.Err() == nil {
		start, _ := errors.AsType[*pyapp.StartError](err)
		a.broken.Store(start)
	}
	return err
}

// exchange has the pool load its code again or, if it is not what the
// configuration asks for, opens another in its place.
func (a *app) exchange(ctx context.Context, l *config.Loaded, found *detect.Result) error {
	c, err := poolConfig(l, found, a.who, a.log)
	if err != nil {
		return err
	}
	c.Confinement.Groups = a.groups
	if a.source != nil {
		develop(&c)
	}
	if p := a.pool(); p != nil && alike(c, a.config) {
		err = p.Reload(ctx)
	} else {
		err = a.replace(ctx, c)
	}
	if err != nil {
		return err
	}
	a.loaded, a.found, a.config = l, found, c
	return nil
}

// replace opens a pool and sends requests there. The one before, if there was
// one, ends when it has answered those that it has.
func (a *app) replace(ctx context.Context, c pyapp.Config) error {
	p, err := a.open(ctx, c)
	if err != nil {
		return err
	}
	a.take(p)
	return nil
}

// take sends requests to a pool that is open, from now on.
func (a *app) take(p pool) { a.succeed(a.ctx, newVersion(p, a.current.Load)) }

// succeed sends requests to v from now on. What got them before ends when it has
// answered those that it has, or when ctx ends. The result is closed by then.
func (a *app) succeed(ctx context.Context, v *version) (ended <-chan struct{}) {
	over := make(chan struct{})
	old := a.current.Swap(v)
	if old == nil {
		close(over)
		return over
	}
	old.Shut()
	a.draining.Add(1)
	a.drains.Go(func() {
		defer close(over)
		select {
		case <-old.Empty():
		case <-ctx.Done():
		}
		a.end(ctx, old.pool)
		a.draining.Add(-1)
		a.tell()
	})
	return over
}

// poolConfig is what the configuration makes of what was found, for an
// application that runs as who. It reads the files that the configuration names.
func poolConfig(l *config.Loaded, found *detect.Result, who *account, log *slog.Logger) (pyapp.Config, error) {
	c, err := poolSettings(l, found.Name)
	if err != nil {
		return c, err
	}
	c.Name, c.Dir, c.App, c.Python, c.Log = found.Name, found.ImportDir, found.App, found.Python.Path, log
	c.Env = slices.Concat(os.Environ(), found.Env, who.env(), c.Env)
	return c, nil
}

// poolSettings is what the configuration says about an application whatever it
// is; name is for errors. Of the environment it is what the configuration adds.
func poolSettings(l *config.Loaded, name string) (pyapp.Config, error) {
	c := &l.Config.App
	var env []string
	for _, v := range c.Env {
		value, err := v.Resolve()
		if err != nil {
			return pyapp.Config{}, &Error{
				Err:  fmt.Errorf("cannot start %s: %w", name, err),
				Hint: "from " + l.Call("env") + "; files are read with the application's rights",
			}
		}
		env = append(env, v.Name+"="+value)
	}
	redirects, err := absolute(c.AccelRedirect)
	if err != nil {
		return pyapp.Config{}, err
	}
	return pyapp.Config{
		Env:            env,
		Workers:        c.Workers,
		MaxWorkers:     c.MaxWorkers,
		MaxRequests:    c.MaxRequests,
		MemorySoft:     int64(c.MemorySoft),
		MemoryHard:     int64(c.MemoryHard),
		Confinement:    pyapp.Confinement{Limits: limitsOf(c)},
		Health:         c.Health,
		Threads:        c.Threads,
		NoPreload:      !c.Preload,
		Slow:           limit(c.Slow),
		Timeout:        limit(c.Timeout),
		StallTimeout:   limit(c.StallTimeout),
		StartTimeout:   limit(c.StartTimeout),
		MaxBody:        bound(c.MaxBody),
		SpoolMemory:    int64(c.SpoolMemory),
		ResponseSpool:  int64(c.ResponseSpool),
		StreamRequests: c.StreamRequests,
		NewPrivileges:  c.NewPrivileges,
		Sendfile:       c.Sendfile,
		AccelRedirect:  redirects,
		QueuePerWorker: c.Queue,
		QueueWait:      limit(c.QueueWait),
		Scheme:         scheme,
	}, nil
}

// alike reports whether two configurations make the same application. Functions
// and the log are those of the daemon, the same for all.
func alike(a, b pyapp.Config) bool {
	for _, c := range []*pyapp.Config{&a, &b} {
		c.Scheme, c.Debug, c.Log = nil, nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// developWorkers is the number of processes in development, where none is given.
// Few are loaded soon; with one alone, a page that streams or that asks the site
// itself would hold up all others.
const developWorkers = 2

// develop makes the application one that somebody works at.
func develop(c *pyapp.Config) {
	c.Debug = isDeveloper
	if c.Workers == 0 {
		c.Workers = developWorkers
	}
}

// absolute completes folders that were named from the folder that gatehouse was
// started in, which need not be the application's.
func absolute(redirects map[string]string) (map[string]string, error) {
	complete := map[string]string{}
	for prefix, folder := range redirects {
		dir, err := filepath.Abs(folder)
		if err == nil {
			_, err = os.Stat(dir)
		}
		if err != nil {
			return nil, &Error{
				Err:  fmt.Errorf("cannot send files below %s: %w", prefix, cause(err)),
				Hint: "--accel-redirect takes a prefix and a folder that is there, such as /protected/=files",
			}
		}
		complete[prefix] = dir
	}
	return complete, nil
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
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
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
	if v := a.current.Load(); v != nil {
		root, mounts = v, v.pool.Info().Static
	}
	if a.source != nil {
		root = &stage{app: root, broken: &a.broken, dir: realDir(a.found.Dir)}
	}
	if a.halted.Load() != nil {
		root = http.HandlerFunc(errorpage.Unavailable)
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

func (a *app) handler() http.Handler { return a.meter.Middleware(&a.router) }

func (a *app) asksOrigin() bool { return true }

// pool is the one that gets new requests, nil if there is none yet.
func (a *app) pool() pool {
	if v := a.current.Load(); v != nil {
		return v.pool
	}
	return nil
}

// configuration implements site.
func (a *app) configuration() (*config.Loaded, error) {
	l, err := a.project.load()
	if err == nil && len(l.Config.Sites) > 0 {
		return nil, &Error{Err: errors.New("the configuration has [[sites]] now; what is served then needs a restart")}
	}
	if err != nil {
		return nil, err
	}
	return l, alone(l)
}

// reload starts the application's code as it is now beside the old, with that
// configuration; when that works, requests go there.
func (a *app) reload(ctx context.Context, l *config.Loaded) ([]error, error) {
	found := a.found
	// Looking again at code that may be broken could only say less than the import
	// will.
	if len(config.Changed(&a.loaded.Config, &l.Config, aboutApp)) > 0 {
		var err error
		if found, err = a.project.look(l); err != nil {
			return nil, err
		}
	}
	if err := a.load(ctx, l, found); err != nil {
		return nil, err
	}
	a.patient.Store(&l.Config)
	return nil, a.route()
}

// aboutApp reports whether a setting says what an application is, or how it runs.
func aboutApp(s *config.Setting) bool { return s.Group == config.Applications && s.Reloads() }

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
	case a.pool() == nil:
		return "nothing is served until it is mended; browsers on this machine show why"
	case a.broken.Load() != nil:
		return "browsers on this machine show this; to others the old version goes on serving"
	}
	return "the old version goes on serving"
}

// risks implements site.
func (a *app) risks() []string {
	var all []string
	if p := a.pool(); p != nil && p.Info().Debug {
		if p.Info().Framework.Name == string(detect.Django) {
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

// end ends a pool: workers that have nothing to do any more may run what Python
// has them run at their end, until ctx ends.
func (a *app) end(ctx context.Context, p pool) {
	_ = p.Shutdown(ctx) // what does not end in time is ended by Close
	if err := p.Close(); err != nil {
		a.log.Error("cannot end the application", "error", err)
	}
}

// dump implements site: a record for each worker.
func (a *app) dump(ctx context.Context) {
	p := a.pool()
	if p == nil {
		return // nothing has been loaded yet that works
	}
	logStacks(a.log, p.Stacks(ctx))
}

// logStacks writes a record for each worker.
func logStacks(log *slog.Logger, workers []pyapp.WorkerStacks) {
	for _, w := range workers {
		requests := make([]string, 0, len(w.Requests))
		for _, r := range w.Requests {
			requests = append(requests, fmt.Sprintf("%s %s %s, waited %v, running %v", r.ID, r.Method, r.Path, r.Waited.Round(time.Millisecond), r.Running.Round(time.Millisecond)))
		}
		log.Info("what a worker is doing", "worker", w.Worker, "pid", w.PID, "requests", requests, "stacks", cmp.Or(w.Text, "(the worker did not tell)"))
	}
}

// close implements site.
func (a *app) close(ctx context.Context) error {
	defer a.cancel()
	stop := context.AfterFunc(ctx, a.cancel)
	defer stop()
	var errs []error
	if a.source != nil {
		errs = append(errs, a.source.Close())
	}
	if p := a.pool(); p != nil {
		a.end(ctx, p)
	}
	a.drains.Wait()
	for _, m := range a.mounts {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// patience implements site: whoever presses Ctrl-C waits for the end.
func (a *app) patience(sig os.Signal) time.Duration {
	return patienceOf(a.patient.Load(), sig)
}

// patienceOf is how long the requests of applications may go on.
func patienceOf(c *config.Config, sig os.Signal) time.Duration {
	if sig == syscall.SIGINT {
		return c.InterruptDrain
	}
	return c.Drain
}

// announce says what was found and how it runs.
func (a *app) announce(s *screen, begun time.Time, addrs []address) {
	if a.pool() == nil {
		s.line("found", "%s (%s) %s", a.found.App, a.found.Framework, place(a.found))
		s.failure(a.broken.Load())
	} else {
		a.announceRunning(s)
	}
	if a.source != nil {
		s.line("reload", "watching %s; new code in under a second", count(a.source.Folders(), "folder"))
	}
	label, since := "ready", "in "+seconds(time.Since(begun))
	if a.pool() == nil {
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
	info := a.pool().Info()
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
	workers := strconv.Itoa(info.Workers)
	if info.MaxWorkers > info.Workers {
		workers += " to " + strconv.Itoa(info.MaxWorkers)
	}
	s.line("workers", "%s × %s%s", workers, a.found.App, threads)
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
