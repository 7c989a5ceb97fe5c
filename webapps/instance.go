package webapps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/internal/turnstile"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
)

// An instance is one deployment of an application: of one folder as it was at one
// time. A change makes a new instance beside the old.
type instance struct {
	name   ContextName
	inside *turnstile.Turnstile // who has found it in a table of routes
	used   atomic.Int64         // when somebody last did, in Unix nanoseconds
	ready  atomic.Bool          // the state is Running
	notify func()               // called when the state has changed, with nothing held
	log    *slog.Logger         // with its name

	// Set while it is deploying, and not changed afterwards.
	account *Account
	dir     string
	loaded  App // as Config.Load had it
	app     App
	found   found
	opens   func(context.Context) (*opened, error)
	// environment is the folder of the environment that was made for it, "" if it
	// needs none (any more); environmentKey is that one's key.
	environment, environmentKey string
	processes                   *processes    // nil if it has none
	cell                        *confine.Cell // where all of its processes are; nil before it is opened

	// What runs. A lazy one is opened by its first request, by one at a time.
	opened  atomic.Pointer[opened]
	opening sync.Mutex
	closed  bool // guarded by opening

	mu      sync.Mutex
	state   State
	since   time.Time
	failure *Failure
	step    Step // while it is deploying
}

func newInstance(name ContextName, log *slog.Logger, notify func()) *instance {
	i := &instance{name: name, inside: turnstile.New(), notify: notify, log: log.With("app", name.String()), state: Deploying, step: Preparing, since: time.Now()}
	i.used.Store(i.since.UnixNano())
	return i
}

// become moves it to another state. Moves that are not in the table are a
// programmer's error.
func (i *instance) become(s State, failure *Failure) {
	for {
		from, _, _ := i.now()
		if !from.mayBecome(s) {
			panic(fmt.Sprintf("webapps: %v from %v to %v", i.name, from, s))
		}
		if i.move(from, s, failure) {
			return
		}
	}
}

// move moves it from one state to another, unless it is not there any more.
func (i *instance) move(from, to State, failure *Failure) bool {
	i.mu.Lock()
	if i.state != from {
		i.mu.Unlock()
		return false
	}
	i.state, i.since = to, time.Now()
	i.ready.Store(to == Running)
	if failure != nil {
		i.failure = failure
	}
	i.mu.Unlock()
	i.notify()
	return true
}

// fail logs why it cannot run, and takes it out of service if it was in it.
func (i *instance) fail(from State, err error) *Failure {
	f := i.account.explain(newFailure(i.name, err))
	if i.move(from, Failed, f) {
		attrs := []any{"error", f.Err}
		if f.Hint != "" {
			attrs = append(attrs, "hint", f.Hint)
		}
		if f.Traceback != "" {
			attrs = append(attrs, "traceback", f.Traceback)
		}
		i.log.Error("cannot deploy", attrs...)
	}
	return f
}

func (i *instance) now() (State, time.Time, *Failure) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state, i.since, i.failure
}

// runs reports whether it may get requests.
func (i *instance) runs() bool { return i.ready.Load() }

// awake reports whether processes of it run, or would if it had some.
func (i *instance) awake() bool { return i.opened.Load() != nil }

// opened is an instance's handler with what has to be closed.
type opened struct {
	handler http.Handler
	pool    *pyapp.Pool         // nil unless it is of type WSGI
	pages   *pagescript.Handler // nil unless it is of type Pages
	close   []func(context.Context) error
}

// end ends it: what runs may finish until ctx ends.
func (o *opened) end(ctx context.Context) error {
	var errs []error
	for _, c := range o.close {
		errs = append(errs, c(ctx))
	}
	return errors.Join(errs...)
}

// wake starts what is not started yet.
func (i *instance) wake(ctx context.Context) (*opened, error) {
	if o := i.opened.Load(); o != nil {
		return o, nil
	}
	i.opening.Lock()
	defer i.opening.Unlock()
	if o := i.opened.Load(); o != nil {
		return o, nil
	}
	if i.closed {
		return nil, ErrClosed
	}
	if _, _, failure := i.now(); failure != nil {
		return nil, failure // it was tried; only a deployment tries again
	}
	o, err := i.opens(ctx)
	if err != nil {
		if ctx.Err() == nil {
			_ = i.fail(Running, err) // one that is not in service is its deployer's to judge
		}
		return nil, err
	}
	i.opened.Store(o)
	return o, nil
}

// end ends what runs.
func (i *instance) end(ctx context.Context) error {
	i.opening.Lock()
	i.closed = true
	o := i.opened.Load()
	i.opening.Unlock()
	if o == nil {
		return nil
	}
	return o.end(ctx)
}

// cacheBytes is the memory for the files of one application where nothing is
// said: there may be hundreds.
const cacheBytes = 8 << 20

// openFiles serves the folder of an application of type static.
func openFiles(i *instance, log *slog.Logger) (*static.Handler, error) {
	c := i.app.Static
	c.User = i.account.user()
	c.Roots, c.Prefix, c.Log = []string{i.dir}, i.name.Prefix()+"/", log
	// Whatever else lies there: sources, databases and keys are not the site.
	c.Project, c.Withheld = static.ProjectAlways, scriptFolders
	c.CacheBytes = cmp.Or(c.CacheBytes, cacheBytes)
	return static.Open(c)
}

// openStatic makes an instance of files.
func openStatic(i *instance, log *slog.Logger) (*opened, error) {
	files, err := openFiles(i, log)
	if err != nil {
		return nil, err
	}
	return &opened{handler: files, close: []func(context.Context) error{closing(files.Close)}}, nil
}

// closing is a close that does not wait.
func closing(c func() error) func(context.Context) error {
	return func(context.Context) error { return c() }
}

// openScripts makes an instance of files and scripts.
func openScripts(i *instance, data string, redirect http.Handler, log *slog.Logger) (*opened, error) {
	files, err := openFiles(i, log)
	if err != nil {
		return nil, err
	}
	o := &opened{close: []func(context.Context) error{closing(files.Close)}}
	common, err := i.scripts(i.app.CGI, data, redirect, log)
	if err != nil {
		_ = o.end(context.Background()) // err is what to tell
		return nil, err
	}
	routes := []router.Route{{Prefix: "/", Handler: files}}
	for _, name := range scriptFolders {
		c := common
		c.Dir, c.DocumentRoot = filepath.Join(i.dir, name), i.dir
		c.Prefix = i.name.Prefix() + "/" + name + "/"
		there := false
		_ = i.account.do(func() error { there = isFolder(c.Dir); return nil })
		if !there {
			continue // one that comes later is a change, and a deployment
		}
		h, err := cgi.Open(c)
		if err != nil {
			_ = o.end(context.Background()) // err is what to tell
			return nil, err
		}
		o.close = append(o.close, closing(h.Close))
		routes = append(routes, router.Route{Prefix: i.name.Prefix() + "/" + name, Handler: h})
	}
	return o, o.route(routes)
}

// scripts completes what is said about scripts with what all of them get.
func (i *instance) scripts(c cgi.Config, data string, redirect http.Handler, log *slog.Logger) (cgi.Config, error) {
	if c.Python != "" {
		var path string
		err := i.account.do(func() (err error) {
			if path, err = exec.LookPath(c.Python); err == nil {
				path, err = filepath.Abs(path) // scripts run in folders of their own
			}
			return err
		})
		if err != nil {
			return c, &hintError{fmt.Errorf("cannot run scripts: %w", err), "cgi_python, or python, takes a path, a name on PATH, or the folder of a virtual environment"}
		}
		c.Python = path
	}
	c.Env, c.User, c.Cell = environment(i.account, nil, c.Env, data), i.account.user(), i.cell
	c.Redirect, c.Log = redirect, log
	return c, nil
}

// openPages makes an instance of files and Python files that are pages.
func openPages(i *instance, data string, redirect http.Handler, log *slog.Logger) (*opened, error) {
	files, err := openFiles(i, log)
	if err != nil {
		return nil, err
	}
	o := &opened{close: []func(context.Context) error{closing(files.Close)}}
	c := i.app.Pages
	c.Scripts, err = i.scripts(c.Scripts, data, redirect, log)
	c.Scripts.Dir, c.Scripts.DocumentRoot, c.Scripts.Prefix = i.dir, i.dir, i.name.Prefix()+"/"
	c.Applications.Env, c.Applications.User = nil, nil // those of scripts
	c.Files, c.NotFound = files, http.HandlerFunc(files.ServeNotFound)
	if err == nil {
		o.pages, err = pagescript.Open(c)
	}
	if err != nil {
		_ = o.end(context.Background()) // err is what to tell
		return nil, err
	}
	o.close = append(o.close, o.pages.Shutdown)
	routes := []router.Route{{Prefix: "/", Handler: o.pages}}
	// Folders of scripts are none of pages: their files are withheld.
	for _, name := range scriptFolders {
		routes = append(routes, router.Route{Prefix: i.name.Prefix() + "/" + name, Handler: files})
	}
	return o, o.route(routes)
}

// openPool makes an instance of a WSGI application with the files that it
// declares.
func openPool(ctx context.Context, i *instance, data string, log *slog.Logger) (*opened, error) {
	r := i.found.wsgi
	c := i.app.WSGI
	c.Name, c.Dir, c.App, c.Python, c.Mount, c.Log = i.name.String(), r.ImportDir, r.App, r.Python.Path, i.name.Prefix(), log
	c.Env, c.User, c.Confinement = environment(i.account, r.Env, c.Env, data), i.account.user(), i.cell.Share()
	if c.Workers == 0 && c.MaxWorkers == 0 {
		// Many applications share the machine, and most of them idle.
		c.Workers, c.MaxWorkers = 1, pyapp.DefaultWorkers()
	}
	pool, err := pyapp.OpenContext(ctx, c)
	if err != nil {
		return nil, err
	}
	o := &opened{pool: pool, close: []func(context.Context) error{func(ctx context.Context) error {
		_ = pool.Shutdown(ctx) // what does not end in time is ended by Close
		return pool.Close()
	}}}
	routes := []router.Route{{Prefix: "/", Handler: pool}}
	for _, m := range pool.Info().Static {
		if !strings.HasPrefix(m.URL, i.name.Prefix()+"/") {
			continue // an address of somebody else's
		}
		h, err := static.Open(static.Config{Roots: m.Dirs, Prefix: m.URL, User: c.User, CacheBytes: cacheBytes, Log: log})
		if err != nil {
			// The application still answers for these addresses, as it would elsewhere.
			log.Warn("static files are left to the application", "url", m.URL, "error", err)
			continue
		}
		o.close = append(o.close, closing(h.Close))
		routes = append(routes, router.Route{Prefix: m.URL, Handler: h})
	}
	return o, o.route(routes)
}

// route makes the routes its handler. What is open is closed if that fails.
func (o *opened) route(routes []router.Route) error {
	table, err := router.NewTable(routes)
	if err != nil {
		_ = o.end(context.Background()) // err is what to tell
		return err
	}
	r := &router.Router{}
	r.Swap(table)
	o.handler = r
	return nil
}
