package webapps_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// scripted has every application be of that type, its scripts run warm.
func scripted(kind webapps.Type, change ...func(*webapps.App)) func(*webapps.Config) {
	return func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			scripts := cgi.Config{Warm: true, Env: []string{"MINE=yes"}}
			app := webapps.App{Type: kind, CGI: scripts, Pages: pagescript.Config{Scripts: scripts}}
			for _, f := range change {
				f(&app)
			}
			return app, nil
		}
	}
}

// family is a script that says who has started it.
const family = "import os\nprint('Content-Type: text/plain\\n')\nprint(os.getppid(), os.environ['SCRIPT_NAME'], os.environ.get('MINE'), os.environ.get('GATEHOUSE_DATA'))\n"

// TestPages serves an entry of page scripts: those that print, those with an
// application, and files, each with the environment of the entry.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "wiki"), tree{
		"index.html": "welcome", "prints.py": family, "_part.py": "", "gatehouse.toml": "x", "cgi-bin/x.sh": "#!/bin/sh\n",
		"sub/application.py": "import os\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    return [' '.join([environ['SCRIPT_NAME'], environ['PATH_INFO'], os.environ['MINE'], os.environ['GATEHOUSE_DATA']]).encode()]\n",
	})
	h := open(t, dir, scripted(webapps.Pages))
	data := filepath.Join(dir, ".gatehouse/data/wiki")
	h.wants("/wiki/", 200, "welcome")
	h.becomes("/wiki/prints.py", 200, " /wiki/prints.py yes "+data)
	h.becomes("/wiki/sub/application.py/x", 200, "/wiki/sub/application.py /x yes "+data)
	for _, hidden := range []string{"/wiki/gatehouse.toml", "/wiki/_part.py", "/wiki/none.py"} {
		h.wants(hidden, 404, "")
	}
	h.wants("/wiki/cgi-bin/x.sh", 403, "")
	if s, _ := h.status("wiki"); s.Type != webapps.Pages || s.About != "page scripts" || s.State != webapps.Running {
		t.Errorf("it is %+v", s)
	}
	stacks, err := h.Stacks(t.Context(), named(t, "wiki"))
	if err != nil || len(stacks) != 1 || stacks[0].PID == 0 {
		t.Errorf("stacks: %+v, %v", stacks, err)
	}
	// A page that is saved is a new page, and no deployment.
	write(t, filepath.Join(dir, "wiki"), tree{"prints.py": "print('another page')\n"})
	h.becomes("/wiki/prints.py", 200, "another page")
	if n := strings.Count(h.log.String(), "deployed app=/wiki"); n != 1 {
		t.Errorf("%d deployments", n)
	}
}

// TestPagesAreDeclared: Python files are no pages because of their names.
func TestPagesAreDeclared(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "wiki"), tree{"prints.py": "print('secret')\n"})
	h := open(t, dir)
	h.wants("/wiki/prints.py", 503, "")
}

// TestWarmScripts: an entry's scripts are forked from an interpreter that is there
// already, where its configuration says so.
func TestWarmScripts(t *testing.T) {
	for _, warm := range []bool{true, false} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "tools"), tree{"cgi-bin/a.py": family})
		h := open(t, dir, scripted(webapps.CGI, func(a *webapps.App) { a.CGI.Warm = warm }))
		parents := map[string]bool{}
		for range 3 {
			answer := text(t, h.do("GET", "/tools/cgi-bin/a.py"))
			parent, rest, _ := strings.Cut(answer, " ")
			if !strings.HasPrefix(rest, "/tools/cgi-bin/a.py yes ") {
				t.Errorf("it says %q", answer)
			}
			parents[parent] = true
		}
		if parents[fmt.Sprint(os.Getpid())] == warm || len(parents) != 1 {
			t.Errorf("warm %v: started by %v; the server is %d", warm, parents, os.Getpid())
		}
	}
}

// TestScriptPython: an interpreter that is not there fails the deployment, and not
// each request.
func TestScriptPython(t *testing.T) {
	for _, kind := range []webapps.Type{webapps.CGI, webapps.Pages} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "tools"), tree{"cgi-bin/a.py": family})
		h := open(t, dir, scripted(kind, func(a *webapps.App) { a.CGI.Python, a.Pages.Scripts.Python = "no-such-python", "no-such-python" }))
		s, _ := h.status("tools")
		if s.State != webapps.Failed || !strings.Contains(s.Failure.Error(), "no-such-python") || !strings.Contains(s.Failure.Hint, "cgi_python") {
			t.Errorf("%s: %v, %+v", kind, s.State, s.Failure)
		}
	}
}
