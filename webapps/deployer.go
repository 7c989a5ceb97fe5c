package webapps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/bell"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/metavar"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/internal/watch"
	"github.com/seed-07905ac1/gatehouse/metrics"
)

// Defaults of Config, and why.
const (
	// DefaultQuiet is how long nothing of an entry may have changed before it is
	// deployed: tools that copy do not pause for as long.
	DefaultQuiet = time.Second
	// DefaultInterval is the time between two looks at the folder: 200 entries
	// take less than a millisecond.
	DefaultInterval = 500 * time.Millisecond
	// DefaultDrain is what requests of a replaced version get to end in.
	DefaultDrain = 30 * time.Second
	// DefaultIdle is how long nobody may have asked for an old version before it
	// is retired: what sessions usually last.
	DefaultIdle = 30 * time.Minute
	// DefaultProcessGrace is what a process beside an application gets between
	// SIGTERM and SIGKILL, to finish what it is at: when its code is replaced or
	// stopped, and when the server ends, whatever time requests have taken then.
	DefaultProcessGrace = 10 * time.Second
	// DefaultMaxUpload bounds an archive, in bytes.
	DefaultMaxUpload = 512 << 20
)

// storeName is the folder in Config.Dir for all that is the Deployer's own.
const storeName = ".gatehouse"

// Config describes a folder of applications. Zero fields have the meanings given
// here.
type Config struct {
	// Dir is the folder. It must exist, and not everybody may change it. What is
	// kept beside the applications (data, unpacked archives, a key) is in .gatehouse
	// in it.
	Dir string
	// Load says how the application of that name in a folder runs, each time it is
	// deployed. It is called from several goroutines and may take its time. nil means
	// App{}.
	Load func(name ContextName, dir string) (App, error)
	// Account says whom the application of that name runs as, whose entry belongs to
	// the user of that number: nil, as whom the server does, or why it does not run
	// at all. It is asked again and again. Where it gives anybody, Dir must be a
	// folder that only its owner can change, and that all of them can enter; Load is
	// called with the account's rights, and leaves the fields User of App alone. nil
	// means that all run as the server does. See docs/adr/0019-users.md for what the
	// process must be for that.
	Account func(name ContextName, owner uint32) (*Account, error)
	// Shared reports that Account may give others than whom the server runs as.
	Shared bool

	// Quiet, Interval, Drain, Idle and ProcessGrace have the defaults above.
	Quiet, Interval, Drain, Idle, ProcessGrace time.Duration
	// Limits bound what archives may become, MaxUpload how large they may be, in
	// bytes.
	Limits    archive.Limits
	MaxUpload int64

	// Scheme returns "http" or "https" for a request; nil looks at r.TLS.
	Scheme func(*http.Request) string
	// Log receives what happens to applications and what they print; nil discards
	// it.
	Log *slog.Logger

	settled func(ctx context.Context, e *entry, a *Account, since time.Time) bool // a test's own
}

func (c Config) withDefaults() (Config, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("webapps: open %s: %w", c.Dir, err)
	}
	c.Dir = dir
	if c.Load == nil {
		c.Load = func(ContextName, string) (App, error) { return App{}, nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Scheme == nil {
		c.Scheme = metavar.Scheme
	}
	if c.settled == nil {
		c.settled = settled
	}
	c.Quiet = cmp.Or(c.Quiet, DefaultQuiet)
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Drain = cmp.Or(c.Drain, DefaultDrain)
	c.Idle = cmp.Or(c.Idle, DefaultIdle)
	c.ProcessGrace = cmp.Or(c.ProcessGrace, DefaultProcessGrace)
	c.MaxUpload = cmp.Or(c.MaxUpload, DefaultMaxUpload)
	return c, nil
}

// Deployer runs the applications in a folder. It is an http.Handler for any
// number of concurrent requests, and all its methods are safe for concurrent use:
// those that change one application wait for each other, those that change
// different ones do not. Made by Open.
type Deployer struct {
	config  Config
	log     *slog.Logger
	store   *store
	cookies *cookies
	watcher *watch.Watcher
	router  router.Router
	starts  chan struct{} // a token for each application that starts
	first   chan struct{} // closed when all that was there at first has been tried
	wakes   chan struct{} // a token: look again
	bell    bell.Bell

	mu           sync.Mutex
	apps         map[ContextName]*app
	sites        map[string]*site          // by path
	dirty        map[ContextName]time.Time // whose source has changed, and when it last did
	problems     []Problem
	environments map[string]int // how many instances need one, by its folder
	closing      bool

	loading   context.Context // ends when no deployment may go on
	stopLoads context.CancelFunc
	ctx       context.Context // ends when everything but what runs beside applications is to end at once
	cancel    context.CancelFunc
	grace     context.Context // ends when what runs beside applications is to end at once as well
	hurry     context.CancelFunc
	loop      sync.WaitGroup
	tasks     sync.WaitGroup // deployments, drains and calls of methods
}

// app is one version of an application.
type app struct {
	name  ContextName
	turn  chan struct{} // holds a token while somebody changes it
	meter *metrics.Meter

	// Changed by the holder of the turn, with Deployer.mu held.
	entry   *entry          // that was deployed last, well or not
	serving *instance       // gets the requests; nil: they get 503
	latest  *instance       // of the newest deployment, while it is not serving
	drains  int             // instances that drain
	quiet   <-chan struct{} // closed when the processes beside all instances so far have ended; nil: there were none
	memory  memory
	retired bool // it gets no new sessions, and stops when it is idle
	gone    bool // it is no application of the Deployer's any more
	missing time.Time
}

// Open takes the folder over and begins to deploy what is in it; Deployed tells
// when all of it has been tried. Whoever opens a Deployer closes it.
func Open(config Config) (*Deployer, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := guarded(c.Dir); err != nil {
		return nil, fmt.Errorf("webapps: open: %w", err)
	}
	d := &Deployer{
		config: c, log: c.Log,
		starts: make(chan struct{}, max(4, 2*runtime.GOMAXPROCS(0))), first: make(chan struct{}), wakes: make(chan struct{}, 1),
		apps: map[ContextName]*app{}, sites: map[string]*site{}, dirty: map[ContextName]time.Time{}, environments: map[string]int{},
	}
	d.router.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { errorpage.Write(w, r, http.StatusNotFound, "") })
	if d.store, err = openStore(filepath.Join(c.Dir, storeName), c.Shared, c.Log); err != nil {
		return nil, err
	}
	recoverMoved(c.Dir, c.Log)
	if d.cookies, err = openCookies(d.store.dir, c.Scheme); err != nil {
		_ = d.store.close() // err is what to tell
		return nil, err
	}
	if d.watcher, err = watch.Open(watch.Config{Roots: []string{c.Dir}, Changed: d.heed, As: d.watchAs(), Log: c.Log}); err != nil {
		_ = d.store.close() // as above
		return nil, err
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.loading, d.stopLoads = context.WithCancel(d.ctx)
	d.grace, d.hurry = context.WithCancel(context.Background())
	var firsts sync.WaitGroup
	d.look(true, &firsts)
	d.loop.Go(func() {
		firsts.Wait()
		close(d.first)
	})
	d.loop.Go(d.run)
	return d, nil
}

// Deployed is closed when everything that was there at first runs or has failed.
func (d *Deployer) Deployed() <-chan struct{} { return d.first }

// ServeHTTP implements http.Handler.
func (d *Deployer) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.router.ServeHTTP(w, r) }

// Subscribe returns a channel that gets a token when anything has changed that
// Apps or Problems tell, one for several changes that nobody has looked at yet.
// stop ends it.
func (d *Deployer) Subscribe() (changed <-chan struct{}, stop func()) {
	return d.bell.Subscribe()
}

// changed tells everybody who listens.
func (d *Deployer) changed() { d.bell.Ring() }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Close ends all applications; requests that are under way may finish until ctx
// ends. The processes beside applications are told to end and have ProcessGrace for
// it: a deadline of ctx, which requests may have used up, leaves them that, and only
// if ctx is canceled they are killed at once. A second call does nothing.
func (d *Deployer) Close(ctx context.Context) error {
	d.mu.Lock()
	if d.closing {
		d.mu.Unlock()
		return nil
	}
	d.closing = true
	d.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		d.cancel()
		if errors.Is(ctx.Err(), context.Canceled) {
			d.hurry()
		}
	})
	defer stop()
	d.stopLoads()
	d.loop.Wait()
	errs := []error{d.watcher.Close()}
	// What is being deployed sees that it is not wanted any more, and ends. Drains
	// go on meanwhile, as long as they may.
	var running []*instance
	for _, a := range d.list() {
		a.turn <- struct{}{}
		if a.serving != nil {
			running = append(running, a.serving)
		}
	}
	ends := make([]error, len(running))
	var wg sync.WaitGroup
	for n, i := range running {
		wg.Go(func() { ends[n] = i.end(ctx) })
		if i.processes != nil {
			wg.Go(func() { i.processes.stop(d.grace) })
		}
	}
	wg.Wait()
	for _, i := range running {
		i.closeCell()
	}
	d.tasks.Wait()
	d.cancel()
	d.hurry()
	return errors.Join(append(append(errs, ends...), d.store.close())...)
}

// begin counts a task that Close waits for, unless it is too late. The caller
// calls d.tasks.Done.
func (d *Deployer) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.tasks.Add(1)
	return true
}

// heed is called with the source files that have changed.
func (d *Deployer) heed(files []string) {
	now := time.Now()
	d.mu.Lock()
	for _, file := range files {
		for _, a := range d.apps {
			if a.entry != nil && !a.entry.archive && inside(a.entry.path, file) {
				d.dirty[a.name] = now
			}
		}
	}
	d.mu.Unlock()
	poke(d.wakes)
}

// watchAs has each folder looked at with the rights of its application.
func (d *Deployer) watchAs() func(string, func()) {
	if d.config.Account == nil {
		return nil
	}
	return func(folder string, look func()) {
		name, err := ParseBase(filepath.Base(folder))
		var who owners
		if err == nil {
			_, who, err = d.config.look(name, folder)
		}
		var a *Account
		if err == nil {
			a, err = d.config.accountOf(name, who)
		}
		if err == nil {
			// What cannot be looked at does not change.
			_ = a.do(func() error { look(); return nil })
		}
	}
}

// inside reports whether a path is below a folder.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// run looks at the folder again and again.
func (d *Deployer) run() {
	tick := time.NewTicker(d.config.Interval)
	defer tick.Stop()
	for {
		select {
		case <-d.loading.Done():
			return
		case <-tick.C:
		case <-d.wakes:
		}
		d.look(false, nil)
		d.retireOld()
	}
}

// look looks at the folder, and has deployed what is new or has changed, once it
// is complete, and retired what is gone. What is there at the start is complete;
// these deployments are added to firsts.
func (d *Deployer) look(start bool, firsts *sync.WaitGroup) {
	entries, problems, err := d.config.scan()
	if err != nil {
		// All applications go on: the folder may be on a disk that will be back.
		problems = []Problem{{Entry: d.config.Dir, Err: err}}
	}
	d.tell(problems)
	if err != nil {
		return
	}
	quiet := time.Now().Add(-d.config.Quiet)
	for _, e := range entries {
		a, other, dirty := d.examine(e, quiet)
		if !other && !dirty {
			continue
		}
		d.try(a, firsts, func() {
			if other && !start && !d.isSettled(e, quiet) {
				return // the next look asks again
			}
			d.mu.Lock()
			delete(d.dirty, a.name)
			d.mu.Unlock()
			d.update(a, e)
		})
	}
	refused := map[string]bool{}
	for _, p := range problems {
		refused[p.Entry] = true
	}
	for _, a := range d.list() {
		if _, there := entries[a.name]; !d.isMissing(a, there || a.entry != nil && refused[a.entry.file], quiet) {
			continue
		}
		d.try(a, nil, func() {
			if a.entry != nil { // else it went before it was complete
				if _, err := os.Lstat(filepath.Join(d.config.Dir, a.entry.file)); !errors.Is(err, os.ErrNotExist) {
					return
				}
				d.log.Info("undeployed, because it is gone", "app", a.name.String())
			}
			d.remove(a)
		})
	}
}

// tell notes what is wrong in the folder, and logs what is new of it.
func (d *Deployer) tell(problems []Problem) {
	d.mu.Lock()
	known := d.problems
	d.problems = problems
	d.mu.Unlock()
	same := func(a, b Problem) bool { return a.Entry == b.Entry && a.Err.Error() == b.Err.Error() }
	for _, p := range problems {
		if !slices.ContainsFunc(known, func(k Problem) bool { return same(k, p) }) {
			d.log.Warn("not an application", "entry", p.Entry, "error", p.Err)
		}
	}
	if !slices.EqualFunc(known, problems, same) {
		d.changed()
	}
}

// examine returns the application of an entry, made if it is new, and why it may have
// to be deployed: because the entry is not what was deployed, or because its source
// has changed, and has not any more since quiet.
func (d *Deployer) examine(e *entry, quiet time.Time) (a *app, other, dirty bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a = d.apps[e.name]; a == nil {
		a = d.adopt(e.name)
	}
	// Of what was deployed the rest of the folder is the application's: it may write
	// there all the time.
	changed, dirty := d.dirty[a.name]
	return a, a.entry == nil || !e.same(a.entry), dirty && changed.Before(quiet)
}

// isSettled reports whether nothing of an entry has changed since quiet. A folder
// may be so large that this takes its time: the look at the others does not wait.
func (d *Deployer) isSettled(e *entry, quiet time.Time) bool {
	account, err := d.config.accountOf(e.name, e.owners)
	if err != nil {
		return unchanged(e.info, quiet) // its deployment says so
	}
	return d.config.settled(d.loading, e, account, quiet)
}

// adopt makes an application. d.mu is held.
func (d *Deployer) adopt(name ContextName) *app {
	a := &app{name: name, turn: make(chan struct{}, 1), meter: metrics.New()}
	d.apps[name] = a
	d.publish(name.Path())
	return a
}

// isMissing reports whether the entry of a has not been there for so long that
// it has not just been replaced.
func (d *Deployer) isMissing(a *app, there bool, quiet time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if there {
		a.missing = time.Time{}
		return false
	}
	if a.missing.IsZero() {
		a.missing = time.Now()
	}
	return a.missing.Before(quiet)
}

// list is all applications, in order.
func (d *Deployer) list() []*app {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*app, 0, len(d.apps))
	for _, a := range d.apps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *app) int { return a.name.Compare(b.name) })
	return all
}

// try does something to an application in a goroutine of its own, unless
// somebody is at it already: the next look comes soon.
func (d *Deployer) try(a *app, also *sync.WaitGroup, do func()) {
	select {
	case a.turn <- struct{}{}:
	default:
		return
	}
	if !d.begin() {
		<-a.turn
		return
	}
	if also != nil {
		also.Add(1)
	}
	go func() {
		defer d.tasks.Done()
		if also != nil {
			defer also.Done()
		}
		defer func() { <-a.turn }()
		if !a.gone {
			do()
		}
	}()
}

// publish makes what is known of the versions at a path what answers all requests
// there that begin from now on. d.mu is held.
func (d *Deployer) publish(path string) {
	var versions []member
	for _, a := range d.apps {
		if a.name.Path() == path {
			versions = append(versions, member{a.name, a.meter, a.serving, a.retired})
		}
	}
	slices.SortFunc(versions, func(a, b member) int { return b.name.Compare(a.name) })
	s := d.sites[path]
	if s == nil {
		s = &site{d: d, path: path}
	}
	s.versions.Store(&versions) // of none, too: for requests that are on their way to it
	switch known := d.sites[path] != nil; {
	case known && len(versions) > 0:
		return // the routes are what they were
	case len(versions) == 0:
		delete(d.sites, path)
	default:
		d.sites[path] = s
	}
	routes := make([]router.Route, 0, len(d.sites))
	for path, s := range d.sites {
		routes = append(routes, router.Route{Prefix: path, Handler: s})
	}
	table, err := router.NewTable(routes)
	if err != nil {
		panic(err) // each path is there once, and begins with a slash
	}
	d.router.Swap(table)
}

var _ http.Handler = (*Deployer)(nil)
