package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// serverWith is a server whose file holds that.
func serverWith(t *testing.T, text string) *config.Loaded {
	t.Helper()
	l, err := (&config.Source{Dir: folderWith(t, config.FileName, text)}).Load()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestOwnFile: an application's own file says how it runs, and nothing else.
func TestOwnFile(t *testing.T) {
	for _, tt := range []struct{ name, file, server, says string }{
		{"a listener", `listen = [":80"]`, "", "gatehouse.toml:1: listen concerns the whole server"},
		{"a user", `user = "root"`, "", "user concerns the whole server"},
		{"a log", "[log]\naccess_log = \"/etc/passwd\"", "", "gatehouse.toml:2: access_log concerns the whole server"},
		{"limits of connections", "[limits]\nmax_head = \"1GB\"", "", "max_head concerns the whole server"},
		{"everybody's answers", "[headers]\nA = \"b\"", "", "headers concerns the whole server"},
		{"more applications", "[webapps]\ndir = \"/\"", "", "dir concerns the whole server"},
		{"development", "[app]\nreload = true", "", "reload is for development"},
		{"the manager", "[manager]\nlisten = \":1\"", "", "listen concerns the whole server"},
		{"a secret of the server's", "[app.env]\nA = { env = \"HOME\" }", "", "A: the server's environment is not the application's"},
		{"a file outside", "[app.env]\nA = { file = \"/etc/shadow\" }", "", "A: /etc/shadow is not in the application's own folder"},
		{"a file outside, by its name", "[app.env]\nA = { file = \"../other/secret\" }", "", "is not in the application's own folder"},
		{"a file outside, by a link", "[app.env]\nA = { file = \"link\" }", "", "is not in the application's own folder"},
		{"a folder outside", "[app]\naccel_redirect = [\"/p/=/etc\"]", "", "is not in the application's own folder"},
		{"a folder outside, by a link", "[app]\naccel_redirect = [\"/p/=up\"]", "", "is not in the application's own folder"},
		{"wheels outside", "[app]\ninstall = \"/srv/wheels\"", "", "install: /srv/wheels is not in the application's own folder"},
		{"wheels outside, by a link", "[app]\ninstall = \"up\"", "", "is not in the application's own folder"},
		{"a larger body", "[app]\nmax_body = \"101MB\"", "", "gatehouse.toml:2: max_body is more than the server allows"},
		{"a larger body than this server's", "[app]\nmax_body = \"3MB\"", "[app]\nmax_body = \"2MB\"", "max_body is more than the server allows"},
		{"more workers", "[app]\nworkers = \"1..9\"", "[app]\nworkers = 8", "workers is more than the server allows"},
		{"no limit of memory", "[app]\nmemory_hard = \"off\"", "[app]\nmemory_hard = \"500MB\"", "memory_hard is more than the server allows"},
		{"new privileges", "[app]\nnew_privileges = true", "", "new_privileges is more than the server allows"},
		{"no limit of cores", "[app]\nlimit_cpu = \"off\"", "[app]\nlimit_cpu = 0.5", "limit_cpu is more than the server allows"},
		{"more cores", "[app]\nlimit_cpu = 0.51", "[app]\nlimit_cpu = 0.5", "limit_cpu is more than the server allows"},
		{"more memory for all of it", "[app]\nlimit_memory = \"501MB\"", "[app]\nlimit_memory = \"500MB\"", "limit_memory is more than the server allows"},
		{"more files", "[app]\nlimit_files = 1000", "[app]\nlimit_files = 100", "limit_files is more than the server allows"},
		{"more processes", "[app]\nlimit_processes = 1000", "[app]\nlimit_processes = 100", "limit_processes is more than the server allows"},
		{"more memory", "[app]\nmemory_hard = \"501MB\"", "[app]\nmemory_hard = \"500MB\"", "memory_hard is more than the server allows"},
		{"a start without end", "[app]\nstart_timeout = \"off\"", "", "start_timeout is more than the server allows"},
		{"nonsense", "[app]\ntype = \"java\"", "", "gatehouse.toml:2:8: type: \"java\" is not one of auto, static, cgi, pages, wsgi"},
		{"sites", "[[sites]]\nroot = \".\"", "", "gatehouse.toml: [[sites]] concern the whole server"},
		{"another application", "[apps.blog]\nworkers = 1", "", "gatehouse.toml:1: apps.blog concerns the whole server"},
		{"another user", "[apps.shop]\nuser = \"root\"", "", "gatehouse.toml:1: apps.shop concerns the whole server"},
		{"another user, as an application's", "[app]\nuser = \"root\"", "", "unknown key \"user\" in [app]"},
		{"scripts for everybody", "cgi = true", "", "unknown key \"cgi\""},
		{"a secret of the server's, for scripts", "[app.cgi_env]\nA = { env = \"HOME\" }", "", "cgi_env: A: the server's environment is not the application's"},
		{"a file outside, for scripts", "[app.cgi_env]\nA = { file = \"../other/secret\" }", "", "is not in the application's own folder"},
		{"a larger body for scripts", "[app]\ncgi_max_body = \"11MB\"", "", "cgi_max_body is more than the server allows"},
		{"no limit for scripts", "[app]\ncgi_limit_memory = \"off\"", "[app]\ncgi_limit_memory = \"1GB\"", "cgi_limit_memory is more than the server allows"},
		{"more scripts", "[app]\ncgi_scripts = 9", "[app]\ncgi_scripts = 8", "cgi_scripts is more than the server allows"},
		{"more pages", "[app]\npages_applications = 17", "", "pages_applications is more than the server allows"},
		{"not TOML", "[app", "", "gatehouse.toml:1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folderWith(t, config.FileName, tt.file)
			for link, target := range map[string]string{"link": "/etc/passwd", "up": ".."} {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := daemon.LoadWebapp(dir, serverWith(t, tt.server))
			if _, ok := errors.AsType[*webapps.Failure](err); !ok || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it says %v, want %q", err, tt.says)
			}
		})
	}
}

// TestLoadWebapp: what an application says of itself counts, then what the server
// says for all.
func TestLoadWebapp(t *testing.T) {
	server := serverWith(t, "python = \"python3.9\"\n[app]\nmax_body = \"50MB\"\ntimeout = \"7s\"\nworkers = 8\nstart = \"first-request\"\n")
	dir := folderWith(t, config.FileName, "[app]\ntype = \"wsgi\"\nworkers = \"1..3\"\nmax_body = \"50MB\"\naccel_redirect = [\"/p/=files\"]\n[app.env]\nA = \"1\"\nB = { file = \"secret\" }\n")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "files"), 0o755), os.WriteFile(filepath.Join(dir, "secret"), []byte("2\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	app, err := daemon.LoadWebapp(dir, server)
	if err != nil {
		t.Fatal(err)
	}
	c := app.WSGI
	if app.Type != webapps.WSGI || !app.Lazy || c.Workers != 1 || c.MaxWorkers != 3 || c.MaxBody != 50<<20 || c.Timeout != 7*time.Second || c.Health != "" {
		t.Errorf("it is %+v", app)
	}
	if !slices.Equal(c.Env, []string{"A=1", "B=2"}) || !slices.Equal(app.CGI.Env, c.Env) {
		t.Errorf("environment %v, that of scripts %v", c.Env, app.CGI.Env)
	}
	if c.AccelRedirect["/p/"] != filepath.Join(dir, "files") || app.Look.App.Value != "" || app.Look.ProjectPython.Value != "python3.9" || app.Look.Python.Value != "" {
		t.Errorf("redirects %v, looked for %+v", c.AccelRedirect, app.Look)
	}
	if app.CGI.Timeout != 7*time.Second || app.CGI.MaxBody != 50<<20 {
		t.Errorf("scripts: %+v", app.CGI)
	}
	app, err = daemon.LoadWebapp(t.TempDir(), serverWith(t, ""))
	if err != nil || app.Type != webapps.Auto || app.Lazy || app.WSGI.Workers != 0 || app.WSGI.MaxBody != 100<<20 {
		t.Errorf("without a word: %+v, %v", app, err)
	}
}

// TestLoadScripts: the keys of scripts and pages hold for an application in a
// folder of them; what these do not say, the keys of all applications do.
func TestLoadScripts(t *testing.T) {
	server := serverWith(t, "python = \"/server/python\"\n[app]\ncgi_kill_grace = \"3s\"\ncgi_limit_files = 50\npages_idle = \"1m\"\nstall_timeout = \"9s\"\n")
	dir := folderWith(t, config.FileName, "[app]\ntype = \"pages\"\ntimeout = \"7s\"\ncgi_stall_timeout = \"5s\"\ncgi_warm = false\ncgi_limit_files = 40\n"+
		"pages_args = \"query\"\npages_applications = 2\ncgi_interpreter = [\".rb=ruby\"]\n[app.env]\nA = \"1\"\n[app.cgi_env]\nB = \"2\"\n")
	app, err := daemon.LoadWebapp(dir, server)
	if err != nil {
		t.Fatal(err)
	}
	c, p := app.CGI, app.Pages
	if app.Type != webapps.Pages || c.Warm || c.Timeout != 7*time.Second || c.StallTimeout != 5*time.Second || c.KillGrace != 3*time.Second ||
		c.MaxBody != 10<<20 || c.Limits.Files != 40 || c.Interpreters[".rb"] != "ruby" || c.Python != "/server/python" || !slices.Equal(c.Env, []string{"A=1", "B=2"}) {
		t.Errorf("scripts: %+v", c)
	}
	if !p.Scripts.QueryArgument || p.Scripts.Python != c.Python || p.Scripts.Timeout != c.Timeout || p.MaxApplications != 2 || p.Idle != time.Minute ||
		p.Applications.Timeout != c.Timeout || p.Applications.MaxBody != c.MaxBody {
		t.Errorf("pages: %+v", p)
	}
	if !slices.Equal(app.WSGI.Env, []string{"A=1"}) {
		t.Errorf("the environment of an application is %v", app.WSGI.Env)
	}
	python := filepath.Join(dir, ".venv", "bin", "python")
	if err := errors.Join(os.MkdirAll(filepath.Dir(python), 0o755), os.WriteFile(python, nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	if app, err = daemon.LoadWebapp(dir, server); err != nil || app.CGI.Python != python {
		t.Errorf("with an environment of its own: %q, %v", app.CGI.Python, err)
	}
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte("[app]\ncgi_python = \".venv\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if app, err = daemon.LoadWebapp(dir, serverWith(t, "")); err != nil || app.CGI.Python != python || !app.CGI.Warm {
		t.Errorf("with one that it names: %q, warm %v, %v", app.CGI.Python, app.CGI.Warm, err)
	}
}

// TestOverride: what the server's file says of one application counts more than
// what that says itself, and more than it may say; what it says of a version
// counts most.
func TestOverride(t *testing.T) {
	server := serverWith(t, "[app]\ntimeout = \"9s\"\n"+
		"[apps.\"shop##2\"]\nthreads = 3\n"+
		"[apps.shop]\nworkers = 2\nthreads = 5\nmax_body = \"1GB\"\ntimeout = \"1m\"\ncgi_queue = 7\nhealth = \"/up\"\npages_idle = \"1m\"\nrelease = [\"b\", \"c\"]\ncgi_interpreter = [\".rb=ruby\"]\n"+
		"[apps.shop.processes]\nworker = \"server\"\n[apps.shop.env]\nA = \"server\"\nHOME2 = { env = \"HOME\" }\n"+
		"[apps.blog]\nworkers = 9\n")
	dir := folderWith(t, config.FileName, "[app]\nworkers = \"1..3\"\nhealth = \"/own\"\nrelease = [\"a\"]\ncgi_interpreter = [\".lua=lua\"]\n[app.env]\nA = \"own\"\nB = \"own\"\n[processes]\nworker = \"own\"\njob = { cron = \"* * * * *\", command = \"own\" }\n")
	for _, tt := range []struct {
		base             string
		workers, threads int
		timeout          time.Duration
	}{{"shop", 2, 5, time.Minute}, {"shop##2", 2, 3, time.Minute}, {"shop##3", 2, 5, time.Minute}, {"other", 1, 1, 9 * time.Second}} {
		name, err := webapps.ParseBase(tt.base)
		if err != nil {
			t.Fatal(err)
		}
		app, err := daemon.LoadNamedWebapp(name, dir, server)
		if err != nil {
			t.Fatal(err)
		}
		if c := app.WSGI; c.Workers != tt.workers || c.Threads != tt.threads || c.Timeout != tt.timeout || app.CGI.Timeout != tt.timeout {
			t.Errorf("%s: %d workers, %d threads, %v, scripts %v", tt.base, c.Workers, c.Threads, c.Timeout, app.CGI.Timeout)
		}
		if tt.base != "shop" {
			continue
		}
		if c := app.WSGI; c.MaxWorkers != 0 || c.MaxBody != 1<<30 || c.Health != "/up" || !slices.Equal(app.Release, []string{"b", "c"}) || app.Pages.Idle != time.Minute || app.CGI.Queue != 7 {
			t.Errorf("it is %+v", app)
		}
		if want := []webapps.Process{{Name: "job", Command: "own", Cron: "* * * * *"}, {Name: "worker", Command: "server"}}; !slices.Equal(app.Processes, want) {
			t.Errorf("processes %v, want %v", app.Processes, want)
		}
		if i := app.CGI.Interpreters; i[".rb"] != "ruby" || i[".lua"] != "lua" {
			t.Errorf("interpreters %v", i)
		}
		if want := []string{"B=own", "A=server", "HOME2=" + os.Getenv("HOME")}; !slices.Equal(app.WSGI.Env, want) {
			t.Errorf("environment %v, want %v", app.WSGI.Env, want)
		}
	}
}

// TestLoadInstall: what is installed is said by the application, or for all.
func TestLoadInstall(t *testing.T) {
	const project = "[project]\ndependencies = [\"gift\"]\n"
	for _, tt := range []struct {
		name, own, server, project, requirements string
		want                                     webapps.Install
		says                                     string
	}{
		{name: "nothing"},
		{name: "its own wheels", own: "install = \"wheels\"", want: webapps.Install{On: true, Wheels: "OWN/wheels"}},
		{name: "the server's wheels", server: "install = \"/srv/wheels\"", want: webapps.Install{On: true, Wheels: "/srv/wheels"}},
		{name: "not this one", own: "install = false", server: "install = true"},
		{name: "a project", own: "install = true", project: project, want: webapps.Install{On: true, Project: []string{"gift"}}},
		{name: "requirements.txt first", own: "install = true", project: "[", requirements: "x", want: webapps.Install{On: true}},
		{name: "a broken project", own: "install = true", project: "[", says: "install: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folderWith(t, config.FileName, "[app]\n"+tt.own+"\n")
			for name, text := range map[string]string{config.ProjectFile: tt.project, "requirements.txt": tt.requirements} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			app, err := daemon.LoadWebapp(dir, serverWith(t, "[app]\n"+tt.server+"\n"))
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("it says %v", err)
				}
				return
			}
			tt.want.Wheels = strings.Replace(tt.want.Wheels, "OWN", dir, 1)
			if err != nil || !reflect.DeepEqual(app.Install, tt.want) {
				t.Errorf("%+v, %v, want %+v", app.Install, err, tt.want)
			}
		})
	}
}
