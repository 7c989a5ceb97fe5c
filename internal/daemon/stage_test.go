package daemon_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Code that cannot be loaded is shown to developers until it can be, and changes
// nothing for others.
func TestBrokenCode(t *testing.T) {
	broken := &pyapp.StartError{
		App: "shop", Path: "views.py", Line: 3, Err: errors.New("SyntaxError: expected ':'"), Hint: "look at <it>",
		Traceback: "  File \"/srv/shop/views.py\", line 3\n    def view(request)\n                     ^\nSyntaxError: expected ':'\n",
	}
	static := pyapp.Info{Static: []pyapp.StaticMount{{URL: "/static/", Dirs: []string{folderWith(t, "site.css", "a style")}}}}
	pool := &fakePool{info: static, next: static}
	app, err := daemon.NewDevelopment(pool, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	const works, told = "200 application", "SyntaxError"
	check := func(when, developer, visitor string) {
		t.Helper()
		for _, tt := range []struct{ who, want string }{{"127.0.0.1:1", developer}, {"192.0.2.7:1", visitor}} {
			r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
			r.RemoteAddr = tt.who
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			if got := http.StatusText(w.Code) + w.Body.String(); !strings.Contains(got, tt.want) || tt.want != told && strings.Contains(got, told) {
				t.Errorf("%s, %s gets %q, want %q", when, tt.who, got, tt.want)
			}
		}
	}
	check("before", "application /", "application /")

	pool.fails = broken
	if err := app.Reload(t.Context()); !errors.Is(err, broken) {
		t.Errorf("reload = %v, want the error", err)
	}
	check("with broken code", told, "application /")
	if got := get(app, "/static/site.css"); got != "200 a style" {
		t.Errorf("a static file with broken code: %s", got)
	}
	if got := app.Fallback(); !strings.Contains(got, "the old version goes on serving") {
		t.Errorf("what is said of it: %s", got)
	}

	pool.fails = nil
	if err := app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("mended", "application /", "application /")
}

// What may not be seen by strangers is warned about when it comes up, where they
// can reach it.
func TestRisks(t *testing.T) {
	django := pyapp.Framework{Name: "Django", Version: "5.2"}
	pool := &fakePool{info: pyapp.Info{Framework: django}}
	app, err := daemon.NewApp(pool, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	var out strings.Builder
	open, closed := daemon.Reach(&out, true), daemon.Reach(&out, false)
	const warning = "warning    DEBUG is on and everybody on the network can reach this: visitors see settings and code; set DEBUG = False\n"
	for _, step := range []struct {
		name  string
		reach *daemon.Reached
		debug bool
		want  string
	}{
		{"off", open, false, ""},
		{"turned on", open, true, warning},
		{"still on", open, true, ""},
		{"turned off", open, false, ""},
		{"turned on again", open, true, warning},
		{"on, for this machine only", closed, true, ""},
	} {
		pool.next = pyapp.Info{Framework: django, Debug: step.debug}
		out.Reset()
		step.reach.Reload(app)
		_, got, _ := strings.Cut(out.String(), "\n") // behind "reloaded"
		if !strings.HasPrefix(out.String(), "reloaded ") || got != step.want {
			t.Errorf("%s: %q, want %q", step.name, out.String(), step.want)
		}
	}

	pool.next = pyapp.Info{Framework: pyapp.Framework{Name: "Flask"}, Debug: true}
	out.Reset()
	open.Reload(app)
	if !strings.Contains(out.String(), "warning    debug mode is on and everybody") {
		t.Errorf("Flask's debug mode: %q", &out)
	}

	dev, err := daemon.NewDevelopment(&fakePool{}, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	out.Reset()
	daemon.Reach(&out, true).Reload(dev)
	if !strings.Contains(out.String(), "warning    --reload is for development and everybody") {
		t.Errorf("--reload for everybody: %q", &out)
	}
}

func TestNameFiles(t *testing.T) {
	for _, tt := range []struct {
		files []string
		want  string
	}{
		{[]string{"/srv/shop/views.py"}, "views.py"},
		{[]string{"/srv/shop/a/views.py", "/srv/shop/b.py"}, "a/views.py and 1 other file"},
		{[]string{"/srv/lib/a.py", "/srv/lib/b.py", "/srv/lib/c.py"}, "/srv/lib/a.py and 2 other files"},
	} {
		if got := daemon.NameFiles("/srv/shop", tt.files); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.files, got, tt.want)
		}
	}
}
