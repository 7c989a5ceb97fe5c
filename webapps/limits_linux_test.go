package webapps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup/cgrouptest"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// confined has all applications run like that, within these limits.
func confined(app webapps.App, c pyapp.Confinement) func(*webapps.Config) {
	app.Confinement = c
	return func(config *webapps.Config) {
		config.Load = func(webapps.ContextName, string) (webapps.App, error) { // several at once call it
			return app, nil
		}
	}
}

// inCell is a shell command that tells which limit of files, and which group, it
// has; the rest of the line is for its reader.
const inCell = `echo "$(ulimit -n) $(grep ^0:: /proc/self/cgroup)"`

// asPython is the same as an expression of Python.
const asPython = `__import__("subprocess").check_output(["/bin/sh", "-c", '` + inCell + `'])`

// Everything that an application runs has its limits, and is in its group.
func TestAllIsConfined(t *testing.T) {
	fake := t.TempDir()
	write(t, fake, tree{"uv": "#!/bin/sh\n" + inCell + ` >>"$GATEHOUSE_DATA/installed"
case $1 in venv) mkdir -p "$4/bin"; ln -s "$3" "$4/bin/python";; esac
`})
	t.Setenv("PATH", fake+":"+os.Getenv("PATH"))
	dir := t.TempDir()
	write(t, dir, tree{
		"wsgi/app.py":              "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [" + asPython + "]\n",
		"wsgi/requirements.txt":    "",
		"scripts/cgi-bin/cold.sh":  "#!/bin/sh\necho Content-Type: text/plain\necho\n" + inCell + "\n",
		"scripts/cgi-bin/warm.py":  "#!/usr/bin/python3\nprint('Content-Type: text/plain\\n')\nprint(" + asPython + ".decode())\n",
		"pages/prints.py":          "print('Content-Type: text/plain\\n')\nprint(" + asPython + ".decode())\n",
		"pages/answers.py":         "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [" + asPython + "]\n",
		"pages/gatehouse-test.txt": "",
	})
	app := webapps.App{
		Release:   []string{inCell + ` >"$GATEHOUSE_DATA/released"`},
		Processes: []webapps.Process{{Name: "beside", Command: inCell + ` >"$GATEHOUSE_DATA/beside"; sleep 1000`}},
	}
	app.CGI.Warm, app.Pages.Scripts.Warm = true, true
	folder, kernels := cgrouptest.Folder(t)
	groups := cgrouptest.Tree(t, folder)
	h := open(t, dir, func(c *webapps.Config) {
		confined(app, pyapp.Confinement{Groups: groups, Limits: pyapp.Limits{Files: 83}})(c)
		load := c.Load
		c.Load = func(name webapps.ContextName, dir string) (webapps.App, error) {
			app, err := load(name, dir)
			app.Install.On = name.Path() == "/wsgi"
			if name.Path() == "/pages" {
				app.Type = webapps.Pages
			}
			return app, err
		}
	})
	check := func(what, got, name string) {
		t.Helper()
		want := "83 0::"
		if kernels {
			want += "/" + filepath.Base(folder) + "/app-" + name + "-"
		}
		for line := range strings.Lines(got) {
			if !strings.Contains(line, "83 0::") || kernels && !strings.Contains(line, "/app-"+name+"-") {
				t.Errorf("%s: %q, want %s", what, line, want)
			}
		}
		if got == "" {
			t.Errorf("%s tells nothing", what)
		}
	}
	for path, name := range map[string]string{
		"/wsgi/": "wsgi", "/scripts/cgi-bin/cold.sh": "scripts", "/scripts/cgi-bin/warm.py": "scripts", "/pages/prints.py": "pages", "/pages/answers.py": "pages",
	} {
		r := h.do("GET", path)
		if r.StatusCode != 200 {
			t.Errorf("%s: %s", path, r.Status)
		}
		check(path, strings.TrimSpace(text(t, r)), name)
	}
	for _, file := range []string{"wsgi/installed", "wsgi/released", "wsgi/beside", "scripts/released", "pages/beside"} {
		got := lines(t, filepath.Join(dir, ".gatehouse/data", file), 1)
		check(file, strings.Join(got, "\n"), filepath.Dir(file))
	}
}

// A group ends with its deployment, well or not: after the processes beside it have
// had their time to end, and with what has cut every tie to the server.
func TestGroupEndsWithItsDeployment(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), hello("old"))
	folder, kernels := cgrouptest.Folder(t)
	command := `trap 'sleep 0.3; echo end >>"$GATEHOUSE_DATA/told"; exit' TERM
echo begin >>"$GATEHOUSE_DATA/told"
while :; do sleep 0.05; done`
	if kernels {
		command = `setsid sh -c 'echo $$ >>"$GATEHOUSE_DATA/daemons"; exec sleep 1000' </dev/null >/dev/null 2>&1 &
` + command
	}
	app := webapps.App{Processes: []webapps.Process{{Name: "beside", Command: command}}}
	h := open(t, dir, confined(app, pyapp.Confinement{Groups: cgrouptest.Tree(t, folder)}))
	told := filepath.Join(dir, ".gatehouse/data/blog/told")
	lines(t, told, 1)
	daemons := func(n int) (all []string) {
		if kernels {
			all = lines(t, filepath.Join(dir, ".gatehouse/data/blog/daemons"), n)
		}
		return all
	}
	daemons(1)
	groups := func() []string {
		all, _ := filepath.Glob(filepath.Join(folder, "app-blog-*")) // the pattern is fine
		return all
	}
	first := groups()
	if len(first) != 1 {
		t.Fatalf("groups %v", first)
	}
	write(t, filepath.Join(dir, "blog"), tree{"app.py": "1 / 0\n"})
	h.awaits("blog", "has failed", func(s webapps.Status) bool { return s.Failure != nil && !s.Deploying })
	testserver.Eventually(t, "the group of the failed deployment is gone", func() bool { return len(groups()) == 1 })
	if now := groups(); now[0] != first[0] {
		t.Errorf("the group is %v, and %v before", now, first)
	}
	write(t, filepath.Join(dir, "blog"), hello("new"))
	h.becomes("/blog/", 200, "new")
	testserver.Eventually(t, "the group of the old one is gone", func() bool { return len(groups()) == 1 && groups()[0] != first[0] })
	if got := lines(t, told, 3); got[1] != "end" {
		t.Errorf("the process beside it was not let end: %q", got)
	}
	both := daemons(2)
	h.close()
	if now := groups(); len(now) > 0 {
		t.Errorf("left are %v", now)
	}
	for _, pid := range both {
		gone(t, pid)
	}
}

// An application that takes all it can get fails by itself; the others go on.
func TestOthersGoOn(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "other"), hello("other"))
	write(t, filepath.Join(dir, "greedy"), tree{"app.py": `def app(environ, start_response):
    start_response("200 OK", [])
    return [bytes(bytearray(1 << 30))]
`})
	h := open(t, dir, confined(webapps.App{}, pyapp.Confinement{Limits: pyapp.Limits{Memory: 100 << 20, CPU: 0.5}}))
	for range 3 {
		h.wants("/greedy/", 500, "")
		h.wants("/other/", 200, "other")
	}
	s, _ := h.status("greedy")
	if len(s.Unheld) != 1 || !strings.Contains(s.Unheld[0], "CPU cores") {
		t.Errorf("not held: %q", s.Unheld)
	}
}
