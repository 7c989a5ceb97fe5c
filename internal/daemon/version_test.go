package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// closingPool refuses requests from Shutdown on, as a real one does, and tells
// when it was closed.
type closingPool struct {
	fakePool
	name    string
	down    atomic.Bool
	reloads atomic.Int32
	hold    chan struct{} // if not nil, requests wait for it
	held    chan struct{} // gets one for each that does
	closed  chan struct{}
}

func newClosingPool(name string) *closingPool {
	return &closingPool{name: name, closed: make(chan struct{})}
}

func (p *closingPool) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if p.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if p.hold != nil {
		p.held <- struct{}{}
		<-p.hold
	}
	fmt.Fprint(w, p.name)
}
func (p *closingPool) Reload(context.Context) error   { p.reloads.Add(1); return nil }
func (p *closingPool) Shutdown(context.Context) error { p.down.Store(true); return nil }
func (p *closingPool) Close() error                   { close(p.closed); return nil }

// configured is an application in a folder whose configuration the test writes.
type configured struct {
	*daemon.App
	dir string
}

func newConfigured(t *testing.T, p daemon.Pool) *configured {
	t.Helper()
	dir := folderWith(t, "shop.py", "def app(environ, start_response): pass\n")
	a, err := daemon.NewConfigured(p, dir, config.Default(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &configured{a, dir}
}

func (c *configured) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "gatehouse.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *configured) reload(t *testing.T) []string {
	t.Helper()
	restart, err := c.Restart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return restart
}

func TestReloadOfConfiguration(t *testing.T) {
	first, second := newClosingPool("first"), newClosingPool("second")
	app := newConfigured(t, first)
	opened := app.Next(second, nil)

	// Nothing changed: new code in the same pool.
	app.reload(t)
	if first.reloads.Load() != 1 || len(*opened) != 0 {
		t.Errorf("without a change: %d reloads, %d pools opened; want 1, 0", first.reloads.Load(), len(*opened))
	}

	// Nor does it matter what the file says of defaults.
	app.write(t, "[app]\nthreads = 1\n")
	app.reload(t)
	if first.reloads.Load() != 2 || len(*opened) != 0 {
		t.Errorf("with a default: %d reloads, %d pools opened; want 2, 0", first.reloads.Load(), len(*opened))
	}

	for _, tt := range []struct{ name, file, want string }{
		{"broken", "[app]\nthread = 2\n", `:2:1: unknown key "thread" in [app]; did you mean "threads"?`},
		{"interpreter absent", "python = './nowhere'\n", "no Python interpreter"},
		{"secret absent", "app.env.KEY = { file = 'nowhere' }\n", ": variable KEY: "},
	} {
		app.write(t, tt.file)
		if _, err := app.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Reload = %v, want %s", tt.name, err, tt.want)
		}
	}
	app.write(t, "[app]\nthreads = 2\n")
	failing := errors.New("broken code")
	app.Next(nil, failing)
	if _, err := app.Restart(t.Context()); !errors.Is(err, failing) {
		t.Errorf("Reload = %v, want the error of the start", err)
	}
	if got := get(app, "/"); got != "200 first" {
		t.Errorf("after reloads that failed: %s, want the first pool", got)
	}

	opened = app.Next(second, nil)
	app.write(t, "backlog = 9\n[app]\nthreads = 2\nenv.KEY = 'value'\n[limits]\nmax_fields = 3\n")
	if got := strings.Join(app.reload(t), " "); got != "backlog" {
		t.Errorf("restart needed for %q, want backlog", got)
	}
	if got := get(app, "/"); got != "200 second" {
		t.Errorf("after the change: %s, want the second pool", got)
	}
	<-first.closed
	if len(*opened) != 1 {
		t.Fatalf("%d pools opened, want 1", len(*opened))
	}
	c := (*opened)[0]
	if last := c.Env[len(c.Env)-1]; c.Threads != 2 || last != "KEY=value" {
		t.Errorf("opened with %d threads, %s; want 2, KEY=value", c.Threads, last)
	}
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	<-second.closed
}

// A secret that changes in its own file is a change.
func TestReloadOfSecret(t *testing.T) {
	app := newConfigured(t, newClosingPool("first"))
	defer app.Close()
	secret := filepath.Join(app.dir, "secret")
	app.write(t, "app.env.KEY = { file = 'secret' }\n")
	for _, value := range []string{"one", "two"} {
		if err := os.WriteFile(secret, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		opened := app.Next(newClosingPool(value), nil)
		app.reload(t)
		if n := len(*opened); n != 1 {
			t.Fatalf("secret %s: %d pools opened, want 1", value, n)
		}
		if env := (*opened)[0].Env; env[len(env)-1] != "KEY="+value {
			t.Errorf("opened with %s, want KEY=%s", env[len(env)-1], value)
		}
	}
}

// A pool is shut down only when the last request has left it.
func TestReplacedPoolFinishesItsRequests(t *testing.T) {
	first := newClosingPool("first")
	first.hold, first.held = make(chan struct{}), make(chan struct{})
	app := newConfigured(t, first)
	defer app.Close()
	answer := make(chan string)
	go func() { answer <- get(app, "/") }()
	<-first.held
	stale := app.Handler("/")

	app.Next(newClosingPool("second"), nil)
	app.write(t, "app.workers = 3\n")
	app.reload(t)
	if first.down.Load() {
		t.Error("the pool was shut down while it had a request")
	}
	// Who found the old version in the old table is sent on.
	if got := get(stale, "/"); got != "200 second" {
		t.Errorf("by the old table: %s, want 200 second", got)
	}
	close(first.hold)
	if got := <-answer; got != "200 first" {
		t.Errorf("the request that was under way: %s, want 200 first", got)
	}
	<-first.closed
}

// Requests without end, and pools that come and go: none of them is refused.
func TestNoRequestIsLostInTheSwap(t *testing.T) {
	app := newConfigured(t, newClosingPool("pool"))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := get(app, "/"); got != "200 pool" {
					t.Errorf("answer %s, want 200 pool", got)
					return
				}
			}
		})
	}
	for i := range 200 {
		app.Next(newClosingPool("pool"), nil)
		app.write(t, fmt.Sprintf("app.workers = %d\n", i+1))
		app.reload(t)
	}
	close(done)
	wg.Wait()
	if err := app.Close(); err != nil {
		t.Error(err)
	}
}

var _ daemon.Pool = (*pyapp.Pool)(nil)
