package daemon

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/forwarded"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// What tests see of the inside.
var (
	AccountFor  = accountFor
	Amount      = amount
	Count       = count
	IsDeveloper = isDeveloper
	ListenError = listenError
	NameFiles   = nameFiles
	NewConsole  = newConsole
	OwnedByRoot = ownedByRoot
	Seconds     = seconds
	Target      = target
	Wrap        = wrap
)

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
	a.drain, a.interrupt = time.Minute, time.Second
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
	return &Reached{&daemon{screen: newScreen(w), exposed: exposed}}
}

// Reload has it reload a.
func (r *Reached) Reload(a *App) { r.d.reload(context.Background(), a.a) }

// Handler is what answers for a path now.
func (a *App) Handler(path string) http.Handler { return a.a.router.Lookup("", path) }

func (a *App) Reload(ctx context.Context) error              { _, err := a.a.reload(ctx); return err }
func (a *App) Restart(ctx context.Context) ([]string, error) { return a.a.reload(ctx) }
func (a *App) Close() error                                  { return a.a.close(context.Background()) }
func (a *App) Patience(sig syscall.Signal) time.Duration     { return a.a.patience(sig) }
func (a *App) Dump(ctx context.Context)                      { a.a.dump(ctx) }

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
	d := &daemon{loaded: &config.Loaded{}, cfg: cfg, log: slog.New(slog.DiscardHandler)}
	f, err := openFolder(context.Background(), cfg, cfg.Static.Dir, d.log)
	if err != nil {
		return nil, nil, nil, err
	}
	trust, err := forwarded.ParseTrust(cfg.TrustedProxies)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := d.openAccessLog(io.Discard); err != nil {
		return nil, nil, nil, err
	}
	return d.chain(f, trust), f.files, func() error { d.closeAccessLog(); return f.close(context.Background()) }, nil
}

// AppChain is the handler that cfg puts before an application.
func AppChain(cfg *config.Config, p Pool) (http.Handler, error) {
	d := &daemon{loaded: &config.Loaded{}, cfg: cfg, log: slog.New(slog.DiscardHandler)}
	trust, err := forwarded.ParseTrust(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	a, err := NewApp(p, d.log)
	if err != nil {
		return nil, err
	}
	return d.chain(a.a, trust), nil
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
func (a *account) UID() int { return a.uid }
