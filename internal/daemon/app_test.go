package daemon_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// fakePool is an application without processes.
type fakePool struct {
	info   pyapp.Info
	fails  error // of the next reload
	next   pyapp.Info
	closed bool
	serve  http.HandlerFunc // nil: says that it was asked
	stacks []pyapp.WorkerStacks
}

func (p *fakePool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.serve != nil {
		p.serve(w, r)
		return
	}
	fmt.Fprint(w, "application ", r.URL.Path)
}
func (p *fakePool) Info() pyapp.Info                            { return p.info }
func (p *fakePool) Close() error                                { p.closed = true; return nil }
func (p *fakePool) Shutdown(context.Context) error              { return nil }
func (p *fakePool) Stacks(context.Context) []pyapp.WorkerStacks { return p.stacks }
func (p *fakePool) Status() pyapp.Status                        { return pyapp.Status{} }
func (p *fakePool) Reload(context.Context) error {
	if p.fails == nil {
		p.info = p.next
	}
	return p.fails
}

// folderWith makes a folder that holds one file.
func folderWith(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// get is status and body of a page.
func get(h http.Handler, path string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

func TestAppServesDeclaredFiles(t *testing.T) {
	project, admin := folderWith(t, "site.css", "of the project"), folderWith(t, "admin/base.css", "of the admin")
	later := folderWith(t, "site.css", "of the new version")
	pool := &fakePool{
		info: pyapp.Info{Static: []pyapp.StaticMount{
			{URL: "/static/", Dirs: []string{project, admin}},
			{URL: "/gone/", Dirs: []string{filepath.Join(project, "no such folder")}},
		}},
		next: pyapp.Info{Static: []pyapp.StaticMount{{URL: "/assets/", Dirs: []string{later}}}},
	}
	var log strings.Builder
	app, err := daemon.NewApp(pool, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "url=/gone/") {
		t.Errorf("the log does not tell of the folder that is missing:\n%s", &log)
	}
	before := []struct{ path, want string }{
		{"/", "200 application /"},
		{"/static", "200 application /static"},
		{"/static/site.css", "200 of the project"},
		{"/static/admin/base.css", "200 of the admin"},
		{"/gone/x", "200 application /gone/x"},
		{"/assets/site.css", "200 application /assets/site.css"},
	}
	check := func(t *testing.T, rows []struct{ path, want string }) {
		t.Helper()
		for _, tt := range rows {
			if got := get(app, tt.path); got != tt.want {
				t.Errorf("GET %s = %q, want %q", tt.path, got, tt.want)
			}
		}
	}
	check(t, before)
	if got := get(app, "/static/nothing.css"); !strings.HasPrefix(got, "404 ") || strings.Contains(got, "application") {
		t.Errorf("GET of a missing file = %q, want 404 without asking the application", got)
	}

	pool.fails = errors.New("broken code")
	if err := app.Reload(t.Context()); !errors.Is(err, pool.fails) {
		t.Errorf("Reload of broken code = %v, want its error", err)
	}
	check(t, before)

	old := app.Handler("/static/site.css")
	declared := pool.info.Static
	pool.fails = nil
	if err := app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, []struct{ path, want string }{
		{"/static/site.css", "200 application /static/site.css"},
		{"/assets/site.css", "200 of the new version"},
	})
	// A request that found its handler in the old table is still answered.
	if got := get(old, "/static/site.css"); got != "200 of the project" {
		t.Errorf("GET by the old table = %q, want its file", got)
	}
	pool.next = pyapp.Info{Static: declared}
	if err := app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if app.Handler("/static/site.css") != old {
		t.Error("a mount that came back was opened anew, want the one with a warm cache")
	}
	if err := app.Close(); err != nil || !pool.closed {
		t.Errorf("Close = %v, pool closed: %v", err, pool.closed)
	}
}

func TestAppAnnounces(t *testing.T) {
	pool := &fakePool{info: pyapp.Info{
		Python: "3.13.0", Implementation: "PyPy", Framework: pyapp.Framework{Name: "Flask", Version: "3.1"}, Workers: 2, Threads: 4,
		Static: []pyapp.StaticMount{{URL: "/static/", Dirs: []string{t.TempDir()}}},
	}}
	app, err := daemon.NewApp(pool, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	var out strings.Builder
	app.Announce(&out, "http://127.0.0.1:8000/", "unix:/run/shop.sock")
	for _, want := range []string{
		"found      Flask 3.1 application shop, PyPy 3.13.0 ",
		"static     /static/ -> 1 folder, served directly\n",
		"workers    2 x shop:app, 4 threads each\n",
		"ready      http://127.0.0.1:8000/       in 0.0 s\n",
		"           unix:/run/shop.sock\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("start lines do not hold %q:\n%s", want, &out)
		}
	}
}

func TestAppAnnouncesARangeOfWorkers(t *testing.T) {
	pool := &fakePool{info: pyapp.Info{Workers: 2, MaxWorkers: 8, Threads: 1}}
	app, err := daemon.NewApp(pool, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	var out strings.Builder
	if app.Announce(&out); !strings.Contains(out.String(), "workers    2 to 8 x shop:app\n") {
		t.Errorf("start lines: %s", &out)
	}
}

func TestAppDumps(t *testing.T) {
	pool := &fakePool{stacks: []pyapp.WorkerStacks{
		{Worker: 3, PID: 300, Text: "MainThread\n", Requests: []pyapp.RequestStatus{{ID: "abc", Method: "GET", Path: "/slow", Waited: 2 * time.Millisecond, Running: 3 * time.Second}}},
		{Worker: 4, PID: 400},
	}}
	var log strings.Builder
	app, err := daemon.NewApp(pool, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	app.Dump(t.Context())
	for _, want := range []string{
		`"worker":3,"pid":300,"requests":["abc GET /slow, waited 2ms, running 3s"],"stacks":"MainThread\n"}`,
		`"worker":4,"pid":400,"requests":[],"stacks":"(the worker did not tell)"}`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log without %s:\n%s", want, &log)
		}
	}
}

func TestAppPatience(t *testing.T) {
	app, err := daemon.NewApp(&fakePool{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	if i, term := app.Patience(syscall.SIGINT), app.Patience(syscall.SIGTERM); i != time.Second || term != time.Minute {
		t.Errorf("patience %v after SIGINT, %v after SIGTERM; want 1s and 1m", i, term)
	}
}

func TestTarget(t *testing.T) {
	t.Chdir(folderWith(t, "shop/wsgi.py", ""))
	for _, tt := range []struct {
		name, text, dir, callable, fails string
	}{
		{"nothing", "", ".", "", ""},
		{"folder", "shop", "shop", "", ""},
		{"folder with a slash", "./shop/", "./shop/", "", ""},
		{"module and callable", "shop.wsgi:app", ".", "shop.wsgi:app", ""},
		{"module", "other", ".", "other", ""},
		{"factory", "shop:create_app()", ".", "shop:create_app()", ""},
		{"file", "shop/wsgi.py", "shop", "wsgi", ""},
		{"no such path", "shop/nothing", "", "", "cannot run shop/nothing: no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, callable, err := daemon.Target(tt.text)
			if fmt.Sprint(err) != cmp.Or(tt.fails, "<nil>") || dir != tt.dir || callable != tt.callable {
				t.Errorf("target = %q, %q, %v; want %q, %q, %s", dir, callable, err, tt.dir, tt.callable, tt.fails)
			}
		})
	}
}
