package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// What a configuration names has to be there, and is told with its place if it is
// not.
func TestVerify(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"all there", "[apps.blog]\n[[sites]]\nroot = 'public'\nerror_pages = { 404 = 'page' }\n[[sites.routes]]\npath = '/b/'\napp = 'blog'\n", ""},
		{"root", "[[sites]]\nroot = 'nowhere'\n", ":2:8: root: expected a folder, DIR/nowhere is not there"},
		{"a file", "[[sites]]\nroot = 'page'\n", ":2:8: root: expected a folder, DIR/page is none"},
		{"static", "[[sites]]\n[[sites.routes]]\npath = '/b/'\nstatic = 'nowhere'\n", ":4:10: static: expected a folder, DIR/nowhere is not there"},
		{"folder of an application", "[apps.b]\ndir = 'x'\n[[sites]]\n[[sites.routes]]\npath = '/b/'\napp = 'b'\n", ":2:7: dir: expected a folder, DIR/x is not there"},
		{"its usual folder", "[apps.b]\n[[sites]]\n[[sites.routes]]\npath = '/b/'\napp = 'b'\n", ":1:7: dir: expected a folder, DIR/b is not there"},
		{"error page", "[[sites]]\nroot = 'public'\n[sites.error_pages]\n404 = 'x'\n", ":4:7: 404: expected the file of the page, DIR/x is not there"},
		{"error page that is a folder", "[[sites]]\nroot = 'public'\n[sites.error_pages]\n404 = 'blog'\n", ":4:7: 404: expected the file of the page, DIR/blog cannot be used: not a regular file"},
		{"scripts beside", "[[sites]]\nroot = 'public'\n[[sites.routes]]\npath = '/b/'\ncgi = 'blog'\n", ""},
		{"scripts right below", "[[sites]]\nroot = 'public'\n[[sites.routes]]\npath = '/b/'\ncgi = 'public/bin'\n", ""},
		{"scripts deeper", "[[sites]]\nroot = '.'\n[[sites.routes]]\npath = '/b/'\ncgi = 'public/bin'\n", ":5:7: cgi: DIR/public/bin lies in DIR, whose files are served, so the sources could be read; move it out, or right below that folder"},
		{"scripts in another site's files", "[[sites]]\n[[sites.routes]]\npath = '/b/'\ncgi = 'blog'\n[[sites]]\nhosts = ['x']\n[[sites.routes]]\npath = '/'\nstatic = 'blog'\n", ":4:7: cgi: DIR/blog lies in DIR/blog, whose files are served, so the sources could be read; move it out, or right below that folder"},
		{"application right below", "[apps.blog]\n[[sites]]\nroot = '.'\n[[sites.routes]]\npath = '/b/'\napp = 'blog'\n", ""},
		{"application that is served as files", "[apps.x]\ndir = 'blog'\n[[sites]]\nroot = 'blog'\n[[sites.routes]]\npath = '/b/'\napp = 'x'\n", ":2:7: dir: DIR/blog lies in DIR/blog, whose files are served, so the sources could be read; move it out, or right below that folder"},
		{"folder of applications beside", "[webapps]\ndir = 'blog'\n[[sites]]\nhosts = ['x']\nroot = 'public'\n", ""},
		{"folder of applications right below", "[webapps]\ndir = 'blog'\n[apps.some]\nthreads = 2\n[[sites]]\nhosts = ['x']\nroot = '.'\n", ""},
		{"folder of applications deeper", "[webapps]\ndir = 'public/bin'\n[[sites]]\nhosts = ['x']\nroot = '.'\n", ":2:1: webapps: DIR/public/bin lies in DIR, whose files are served, so the sources could be read; move it out, or right below that folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, folder := range []string{"public/bin", "blog"} {
				if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for name, text := range map[string]string{"page": "", "gatehouse.toml": tt.file} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			l, err := (&config.Source{Dir: dir}).Load()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := l.Verify(); err != nil {
				got = strings.ReplaceAll(strings.TrimPrefix(err.Error(), filepath.Join(dir, "gatehouse.toml")), dir, "DIR")
			}
			if got != tt.want {
				t.Errorf("Verify = %s, want %s", got, tt.want)
			}
		})
	}
}

// An application has what [app] says where it does not say otherwise; flags are
// on top of [app].
func TestApplication(t *testing.T) {
	project(t, map[string]string{"gatehouse.toml": "[app]\nworkers = 3\nthreads = 2\nenv = { A = 'a', B = 'b' }\n[apps.x]\nworkers = 5\nenv = { B = 'own' }\n" +
		"[apps.y]\n[[sites]]\n[[sites.routes]]\npath = '/x/'\napp = 'x'\n[[sites.routes]]\npath = '/y'\napp = 'y'\n"})
	l, err := (&config.Source{Dir: ".", Flags: []config.Assignment{{"threads", "7"}}}).Load()
	if err != nil {
		t.Fatal(err)
	}
	x, y := l.Application(&l.Config.Apps[0]), l.Application(&l.Config.Apps[1])
	if c := x.Config.App; c.Workers != 5 || c.Threads != 7 || len(c.Env) != 2 || c.Env[1] != (config.Variable{Name: "B", Value: "own"}) || l.Config.Apps[0].Mount != "/x" {
		t.Errorf("x is %+v at %s", c, l.Config.Apps[0].Mount)
	}
	if c := y.Config.App; c.Workers != 3 || c.Threads != 7 || len(c.Env) != 2 || c.Env[1].Value != "b" || l.Config.Apps[1].Mount != "/" {
		t.Errorf("y is %+v at %s", c, l.Config.Apps[1].Mount)
	}
	if got, want := x.Call("workers")+" "+y.Call("workers")+" "+x.Call("threads"), "gatehouse.toml:6: workers gatehouse.toml:2: workers --threads"; got != want {
		t.Errorf("set at %s, want %s", got, want)
	}
}

// What [app] says for applications in a folder alone does not reach those that
// routes lead to, whichever key it is.
func TestApplicationOfRoutes(t *testing.T) {
	values := map[string]string{"type": `"pages"`, "start": `"first-request"`, "install": `true`, "release": `["make"]`, "processes": `{ mail = "x" }`}
	for _, p := range config.EveryPlace() {
		if !p.Webapps || p.In != p.Table() {
			continue
		}
		value, ok := values[p.Key()]
		if !ok {
			t.Errorf("%s: a value is missing here", p.Key())
			continue
		}
		text := p.Key() + " = " + value + "\n"
		if p.In != "" {
			text = "[" + p.In + "]\n" + text
		}
		text += "[webapps]\nhosts = ['a']\n[apps.x]\n[[sites]]\nroutes = [{ path = '/', app = 'x' }]\n"
		l, err := config.Decode("gatehouse.toml", []byte(text), true)
		if err != nil {
			t.Fatal(err)
		}
		one := l.Application(&l.Config.Routed()[0])
		if _, set := one.Origin(p.Name); set {
			t.Errorf("%s is said of the application", p.Key())
		}
		if std := config.Default(); p.Setting.Value(&one.Config).String() != p.Setting.Value(&std).String() || p.Setting.Value(&l.Config).String() == p.Setting.Value(&std).String() {
			t.Errorf("%s: it is %s in [app] and %s of the application", p.Key(), p.Setting.Value(&l.Config), p.Setting.Value(&one.Config))
		}
	}
}
