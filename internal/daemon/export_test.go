package daemon

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What tests see of the inside.
var (
	AccountFor  = accountFor
	IsDeveloper = isDeveloper
	ListenError = listenError
	NameFiles   = nameFiles
	NewConsole  = newConsole
	OwnedByRoot = ownedByRoot
	Target      = target
	Wrap        = wrap
)

// EndsIn is what the server may take to end when requests have had their time.
const EndsIn = abortWait + closeWait

// Pool is what an application is to the daemon.
type Pool = pool

// App is a site made of a pool.
type App struct{ a *app }

// Installed is the answer in words.
func Installed(venv, app string) string { return string(installed(venv, app)) }

// NewApp puts the files that p declares beside p. Its project has no folder.
func NewApp(p Pool, log *slog.Logger) (*App, error) {
	return NewConfigured(p, "no folder", config.Default(), log)
}

// NewDevelopment is NewApp for somebody who works at the source in dir.
func NewDevelopment(p Pool, dir string, log *slog.Logger) (*App, error) {
	c := config.Default()
	c.App.Reload = true
	return NewConfigured(p, dir, c, log)
}

// NewConfigured is NewApp with a configuration and a folder, whose own will be
// read by reloads.
func NewConfigured(p Pool, dir string, c config.Config, log *slog.Logger) (*App, error) {
	a := newApp(
		&project{dir: dir, callable: "shop:app", source: config.Source{Dir: dir}}, &config.Loaded{Config: c},
		&detect.Result{Name: "shop", App: "shop:app", Framework: detect.Plain, Dir: dir, ImportDir: dir}, nil, log,
	)
	patient := c
	patient.Drain, patient.InterruptDrain = time.Minute, time.Second
	a.patient.Store(&patient)
	a.open = func(context.Context, pyapp.Config) (pool, error) { return p, nil }
	return &App{a}, a.start(context.Background())
}

// Next has p take the place of the pool when the configuration changes; nil
// fails with err. It returns what the pools were opened with.
func (a *App) Next(p Pool, err error) (opened *[]pyapp.Config) {
	opened = new([]pyapp.Config)
	a.a.open = func(_ context.Context, c pyapp.Config) (pool, error) {
		*opened = append(*opened, c)
		return p, err
	}
	return opened
}

// ServeHTTP stands where the server's own middleware does.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	knowDevelopers(a.a.handler()).ServeHTTP(w, r)
}

// Fallback is what is said after a reload that failed.
func (a *App) Fallback() string { return a.a.fallback() }

// Reached is a daemon that others can reach, or not.
type Reached struct{ d *daemon }

// Reach makes one that writes to w.
func Reach(w io.Writer, exposed bool) *Reached {
	return &Reached{&daemon{screen: newScreen(w), exposed: exposed, front: testFront()}}
}

// Reload has it reload a.
func (r *Reached) Reload(a *App) { r.d.reload(context.Background(), a.a) }

// Handler is what answers for a path now.
func (a *App) Handler(path string) http.Handler { return a.a.router.Lookup("", path) }

func (a *App) Reload(ctx context.Context) error {
	_, err := a.Restart(ctx)
	return err
}

// Restart reloads a, and names what needs a restart.
func (a *App) Restart(ctx context.Context) ([]string, error) {
	l, err := a.a.configuration()
	if err != nil {
		return nil, err
	}
	_, err = a.a.reload(ctx, l)
	return config.Changed(&a.a.started.Config, &l.Config, func(s *config.Setting) bool { return !s.Reloads() }), err
}

func (a *App) Close() error                              { return a.a.close(context.Background()) }
func (a *App) Patience(sig syscall.Signal) time.Duration { return a.a.patience(sig) }
func (a *App) Dump(ctx context.Context)                  { a.a.dump(ctx) }

// testFront faces nobody: the door that the defaults ask for leads nowhere.
func testFront() *front {
	f := newFront(&config.Loaded{Config: config.Default()}, Streams{Out: io.Discard, Err: io.Discard}, newScreen(io.Discard), book{}.writtenDown)
	f.doors = []*door{{addr: "127.0.0.1:8000"}}
	return f
}

// Announce writes the start lines for listeners of these URLs.
func (a *App) Announce(w io.Writer, urls ...string) {
	var addrs []address
	for _, u := range urls {
		addrs = append(addrs, address{url: u})
	}
	a.a.announce(newScreen(w), time.Now(), addrs)
}

// Chain is the handler that cfg puts before its folder, and the folder's own.
func Chain(cfg *config.Config) (chain, files http.Handler, end func() error, err error) {
	log := slog.New(slog.DiscardHandler)
	f, err := openFolder(context.Background(), cfg, cfg.Static.Dir, log)
	if err != nil {
		return nil, nil, nil, err
	}
	chain, closeLog, err := chained(cfg, f, log)
	if err != nil {
		return nil, nil, nil, err
	}
	return chain, f.files, func() error { closeLog(); return f.close(context.Background()) }, nil
}

// chained is the middleware of cfg before s.
func chained(cfg *config.Config, s site, log *slog.Logger) (_ http.Handler, closeLog func(), err error) {
	l := &config.Loaded{Config: *cfg}
	var t trust
	if err := t.parse(l); err != nil {
		return nil, nil, err
	}
	access, err := openAccessLog(l, io.Discard, log)
	if err != nil {
		return nil, nil, err
	}
	closeLog = func() {}
	if access != nil {
		closeLog = func() { _ = access.Close() }
	}
	return chain(cfg, s, access, t.Trust), closeLog, nil
}

// AppChain is the handler that cfg puts before an application.
func AppChain(cfg *config.Config, p Pool) (http.Handler, error) {
	log := slog.New(slog.DiscardHandler)
	a, err := NewApp(p, log)
	if err != nil {
		return nil, err
	}
	unlogged := *cfg
	unlogged.Log.Access = "off"
	h, _, err := chained(&unlogged, a.a, log)
	return h, err
}

// Engine is the server that cfg asks for.
func Engine(cfg *config.Config) *gatehouse.Server {
	return newEngine(cfg, nil, slog.New(slog.DiscardHandler), nil)
}

// Say writes one line as on a screen, plain or with all that a terminal can.
func Say(w io.Writer, fancy bool, label, text string) {
	s := newScreen(w)
	s.fancy = fancy
	s.line(label, "%s", text)
}

// Record writes one line as a record of a log that machines read.
func Record(log *slog.Logger, label, text string) {
	s := newScreen(io.Discard)
	s.log = log
	s.line(label, "%s", text)
}

// UID is the account's number.
func (a *account) UID() int { return int(a.id.UID) }

// RunsAs is the name of whom the application of that name runs as, whose entry
// belongs to owner, on a server that euid has started; "" for whom that is.
func RunsAs(euid int, l *config.Loaded, name string, owner uint32) (string, error) {
	base, err := accountNamed(l.Config.User, euid)
	if err != nil {
		return "", err
	}
	t, err := newTenants(base, l, euid)
	if err != nil {
		return "", err
	}
	app, err := webapps.ParseBase(name)
	if err != nil {
		return "", err
	}
	a, err := t.of(l, app, owner)
	if a == nil {
		return "", err
	}
	return a.Name, err
}

// LoadWebapp is what the daemon makes of the application in dir, one of several
// below a server that has this configuration.
func LoadWebapp(dir string, server *config.Loaded) (webapps.App, error) {
	name, err := webapps.ParseBase("shop")
	if err != nil {
		return webapps.App{}, err
	}
	return LoadNamedWebapp(name, dir, server)
}

// LoadNamedWebapp is LoadWebapp for one of that name.
func LoadNamedWebapp(name webapps.ContextName, dir string, server *config.Loaded) (webapps.App, error) {
	h := &appFolder{dir: dir, started: server}
	h.loaded.Store(server)
	return h.load(name, dir)
}

// Sites are sites whose applications are pools of a test.
type Sites struct{ s *sites }

// NewSites starts what gatehouse.toml in dir says. open makes the pools.
func NewSites(dir string, open func(pyapp.Config) (Pool, error)) (*Sites, error) {
	p := &project{dir: dir, source: config.Source{Dir: dir}}
	s := newSites(p, nil, slog.New(slog.DiscardHandler))
	s.pools = func(_ context.Context, c pyapp.Config) (pool, error) { return open(c) }
	l, err := s.configuration()
	if err != nil {
		return nil, err
	}
	return &Sites{s}, s.start(context.Background(), l)
}

// Reload takes in what dir says now.
func (s *Sites) Reload() (kept []error, err error) {
	l, err := s.s.configuration()
	if err != nil {
		return nil, err
	}
	return s.s.reload(context.Background(), l)
}

// Do does to an application what a command of that name does.
func (s *Sites) Do(ctx context.Context, command, app string) error {
	name, err := webapps.ParseBase(app)
	if err != nil {
		return err
	}
	return map[string]func(context.Context, webapps.ContextName) error{
		"start": s.s.Start, "stop": s.s.Stop, "reload": s.s.Reload, "undeploy": s.s.Undeploy,
	}[command](ctx, name)
}

// State is an application's, and how many of its replaced versions have requests.
func (s *Sites) State(app string) (state webapps.State, draining int, failure error) {
	for _, a := range s.s.Apps() {
		if a.Name.Base() == app {
			if a.Failure != nil {
				failure = a.Failure.Err
			}
			return a.State, a.Draining, failure
		}
	}
	return 0, 0, webapps.ErrNoApp
}

func (s *Sites) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.s.handler().ServeHTTP(w, r) }
func (s *Sites) Close() error                                     { return s.s.close(context.Background()) }

// Dressed is h with changes to the fields of its answers and with pages for errors.
func Dressed(h http.Handler, rules []config.HeaderRule, pages map[int]string) http.Handler {
	d := &dress{rules: rules, pages: map[int]errorContent{}}
	for status, text := range pages {
		d.pages[status] = errorContent{"text/html", text}
	}
	return &routeHandler{h, d}
}

// Location is where a route for path that redirects to target leads from a URL.
func Location(path, target string, from *url.URL) string {
	pattern := config.Pattern{Prefix: strings.TrimSuffix(path, "/*"), Exact: !strings.HasSuffix(path, "/*")}
	return location(&routePlace{route: &config.Route{Path: pattern, Redirect: target}}, from)
}

// Front is what faces the clients, without a site behind.
type Front struct{ f *front }

// OpenFront opens a listener on a free port, as if c had named that port, and
// returns what c then says.
func OpenFront(c config.Config) (*Front, config.Config, error) {
	c.Listen = []string{"127.0.0.1:0"}
	f := newFront(&config.Loaded{Config: c}, Streams{Out: io.Discard, Err: io.Discard}, newScreen(io.Discard), book{}.writtenDown)
	if err := f.open(); err != nil {
		return nil, c, err
	}
	f.doors[0].addr = f.doors[0].listener.Addr().String()
	c.Listen = []string{f.doors[0].addr}
	return &Front{f}, c, nil
}

// Prepare opens what c asks for and is not there yet, and closes it again.
func (f *Front) Prepare(c config.Config) error {
	n, err := f.f.prepare(&config.Loaded{Config: c})
	if err == nil {
		n.discard()
	}
	return err
}

// Serve has h answer what comes.
func (f *Front) Serve(h http.Handler) { f.f.serve(testSite{h: h}) }

// testSite is nothing but a handler.
type testSite struct {
	site
	h http.Handler
}

func (s testSite) handler() http.Handler { return s.h }
func (s testSite) asksOrigin() bool      { return true }

// Change takes c in, for h. The result is closed when the access log before is.
func (f *Front) Change(c config.Config, h http.Handler) (closed <-chan struct{}, err error) {
	before := f.f.logs.current.Load()
	n, err := f.f.prepare(&config.Loaded{Config: c})
	if err != nil {
		return nil, err
	}
	n.commit(testSite{h: h})
	return before.done, nil
}

// Totals are the requests that were logged.
func (f *Front) Totals() int64 {
	all, _ := f.f.logs.totals()
	return all.requests
}

// Addresses are where it listens.
func (f *Front) Addresses() []string {
	var all []string
	for _, d := range f.f.doors {
		all = append(all, d.listener.Addr().String())
	}
	return all
}

func (f *Front) Close() { f.f.close() }

// Foreign tells which code of a configuration belongs to somebody else than uid.
func Foreign(l *config.Loaded, uid uint32, owners map[string]uint32) error {
	return foreign(l, codeFolders(&l.Config), uid, func(dir string) (uint32, bool) {
		own, ok := owners[filepath.Base(dir)]
		return own, ok
	})
}
