package webapps_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// wheel makes a wheel of a module gift that has a word, in dir.
func wheel(t testing.TB, dir, version, word string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	info := "gift-" + version + ".dist-info/"
	put(t, filepath.Join(dir, "gift-"+version+"-py3-none-any.whl"), testserver.Zip(t, tree{
		"gift.py":         fmt.Sprintf("WORD = %q\n", word),
		info + "METADATA": "Metadata-Version: 2.1\nName: gift\nVersion: " + version + "\n",
		info + "WHEEL":    "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		info + "RECORD":   "gift.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n",
	}))
}

// installing has every application be installed so.
func installing(install webapps.Install, change ...func(*webapps.App)) func(*webapps.Config) {
	return func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			app := webapps.App{Install: install}
			for _, f := range change {
				f(&app)
			}
			return app, nil
		}
	}
}

// grateful is an application that needs the module.
const grateful = `import sys
import gift
def app(environ, start_response):
    start_response("200 OK", [])
    return [(gift.WORD + " in " + sys.prefix).encode()]
`

// installs is how often requirements were installed.
func (h *house) installs() int { return strings.Count(h.log.String(), "requirements installed") }

// TestInstall: what requirements.txt names is installed by pip before the release
// commands, once for the same requirements, and a failure keeps the old.
func TestInstall(t *testing.T) {
	dir, wheels := t.TempDir(), t.TempDir()
	wheel(t, wheels, "1.0", "thanks")
	app := filepath.Join(dir, "blog")
	t.Setenv("PATH", withoutUV(t))
	h := open(t, dir, installing(webapps.Install{On: true, Wheels: wheels}, func(a *webapps.App) {
		a.Release = []string{"python -c 'import gift; print(gift.WORD)'"}
	}))
	write(t, app, tree{"app.py": grateful, "requirements.txt": "-r more.txt\n", "more.txt": "gift==1.0\n"})
	// The tools take seconds on an idle machine, and more than a test waits for else
	// on one that is not.
	changed, stop := h.Subscribe()
	defer stop()
	patience := time.After(5 * time.Minute)
	for s, _ := h.status("blog"); s.State != webapps.Running && s.Failure == nil; s, _ = h.status("blog") {
		select {
		case <-changed:
		case <-patience:
			t.Fatal("waited in vain for the installation")
		}
	}
	environments := filepath.Join(dir, ".gatehouse/apps/blog/venv")
	h.wants("/blog/", 200, "thanks in "+environments+"/")
	if log := h.log.String(); !strings.Contains(log, "output=thanks") || !strings.Contains(log, "Successfully installed gift-1.0") {
		t.Error("the log does not have what the commands have printed")
	}
	write(t, app, tree{"app.py": grateful + "\n# another\n"})
	testserver.Eventually(t, "it is deployed again", func() bool { return strings.Count(h.log.String(), "msg=deployed") == 2 })
	if n := h.installs(); n != 1 {
		t.Errorf("%d installations", n)
	}

	write(t, app, tree{"more.txt": "absent==1.0\n"})
	if err := h.Reload(t.Context(), named(t, "blog")); err == nil {
		t.Error("an installation that failed did not fail the deployment")
	}
	s, _ := h.status("blog")
	if s.State != webapps.Running || s.Failure == nil || !strings.Contains(s.Failure.Error(), "pip install") || !strings.Contains(s.Failure.Traceback, "No matching distribution") {
		t.Errorf("it is %v, %v", s.State, s.Failure)
	}
	h.wants("/blog/", 200, "thanks")
	if left, err := os.ReadDir(environments); err != nil || len(left) != 1 {
		t.Errorf("environments are left: %v, %v", left, err)
	}

	// A server that starts anew finds what is installed.
	write(t, app, tree{"more.txt": "gift==1.0\n"})
	h.close()
	h = open(t, dir, installing(webapps.Install{On: true, Wheels: wheels}))
	h.wants("/blog/", 200, "thanks")
	if n := h.installs(); n != 0 {
		t.Errorf("%d installations after a restart", n)
	}
}

// withoutUV is PATH without folders that have uv.
func withoutUV(t testing.TB) string {
	t.Helper()
	var all []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "uv")); err != nil {
			all = append(all, dir)
		}
	}
	return strings.Join(all, ":")
}

// fakeUV makes a program on PATH that takes the commands of uv which are used,
// and does them faster than the real one: the wheel is unpacked.
func fakeUV(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, tree{"uv": `#!/bin/sh
set -e
echo "uv $*"
case "$1 $2" in
"venv --python") exec "$3" -m venv --without-pip "$4" ;;
"pip install") ;;
*) exit 9 ;;
esac
# pip install --python PYTHON --no-index --find-links WHEELS -r FILE
[ "$3 $5 $6 $8" = "--python --no-index --find-links -r" ]
name=$(sed 's/==/-/' "$9")
[ "$name" != sleep ] || sleep 1000
[ -z "$name" ] || "$4" -m zipfile -e "$7/$name-py3-none-any.whl" "$("$4" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
`})
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// replace replaces an application's requirements in one step: who looks meanwhile
// finds the old ones or the new ones, and installs nothing else.
func replace(t testing.TB, app, text string) {
	t.Helper()
	elsewhere := t.TempDir()
	write(t, elsewhere, tree{"requirements.txt": text})
	if err := os.Rename(filepath.Join(elsewhere, "requirements.txt"), filepath.Join(app, "requirements.txt")); err != nil {
		t.Fatal(err)
	}
}

// TestInstallUV: uv is taken where it is there; environments that nobody needs are
// removed, but for the last one, and nobody waits for that.
func TestInstallUV(t *testing.T) {
	fakeUV(t)
	dir, wheels := t.TempDir(), t.TempDir()
	app := filepath.Join(dir, "blog")
	write(t, app, tree{"app.py": grateful})
	for n := range 4 {
		wheel(t, wheels, fmt.Sprintf("1.%d", n), fmt.Sprintf("word %d", n))
	}
	write(t, app, tree{"requirements.txt": "gift==1.0\n"})
	h := open(t, dir, installing(webapps.Install{On: true, Wheels: wheels}))
	h.wants("/blog/", 200, "word 0 in")
	removing, goOn := make(chan string, 4), make(chan struct{})
	h.SetRemover(func(path string) error {
		removing <- path
		<-goOn
		return os.RemoveAll(path)
	})
	letGo := sync.OnceFunc(func() { close(goOn) })
	defer letGo()
	for n := 1; n < 4; n++ {
		replace(t, app, fmt.Sprintf("gift==1.%d\n", n))
		if err := h.Reload(t.Context(), named(t, "blog")); err != nil {
			t.Fatal(err)
		}
		h.wants("/blog/", 200, fmt.Sprintf("word %d in", n))
		if n == 2 {
			testserver.Receive(t, "the removal of the first", removing)
			told := make(chan struct{})
			go func() { defer close(told); h.Apps() }()
			testserver.Receive(t, "what there is, during a removal", told)
		}
	}
	testserver.Eventually(t, "two environments are left", func() bool {
		left, err := os.ReadDir(filepath.Join(dir, ".gatehouse/apps/blog/venv"))
		return err == nil && len(left) == 2
	})
	letGo()
	testserver.Eventually(t, "the others are removed", func() bool {
		left, err := os.ReadDir(filepath.Join(dir, ".gatehouse/incoming"))
		return err == nil && len(left) == 0
	})
	if n := h.installs(); n != 4 {
		t.Errorf("%d installations", n)
	}
	replace(t, app, "gift==1.2\n")
	if err := h.Reload(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "word 2 in")
	if n := h.installs(); n != 4 {
		t.Errorf("%d installations, though the last one is kept", n)
	}
}

// TestInstallForScripts: pages and scripts run in the environment as well, with
// what the project names elsewhere.
func TestInstallForScripts(t *testing.T) {
	fakeUV(t)
	dir, wheels := t.TempDir(), t.TempDir()
	wheel(t, wheels, "1.0", "thanks")
	script := "import gift\nprint('Content-Type: text/plain\\n')\nprint(gift.WORD)\n"
	write(t, filepath.Join(dir, "wiki"), tree{"p.py": script, "cgi-bin/s.py": script})
	for kind, path := range map[webapps.Type]string{webapps.Pages: "/wiki/p.py", webapps.CGI: "/wiki/cgi-bin/s.py"} {
		h := open(t, dir, installing(webapps.Install{On: true, Wheels: wheels, Project: []string{"gift==1.0"}}, func(a *webapps.App) { a.Type = kind }))
		h.becomes(path, 200, "thanks")
		h.close()
	}
}

// TestInstallFails tells why.
func TestInstallFails(t *testing.T) {
	fakeUV(t)
	for _, tt := range []struct {
		name    string
		install webapps.Install
		files   tree
		says    string
	}{
		{"nothing to install", webapps.Install{On: true}, nil, "there is neither requirements.txt nor"},
		{"no wheels", webapps.Install{On: true, Wheels: "/nowhere"}, tree{"requirements.txt": ""}, "/nowhere"},
		{"too long", webapps.Install{On: true, Wheels: t.TempDir(), Timeout: 500 * time.Millisecond}, tree{"requirements.txt": "sleep"}, "it took more than"},
		{"too large", webapps.Install{On: true}, tree{"requirements.txt": strings.Repeat("#", 1<<20+1)}, "requirements.txt: larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "blog"), tree{"app.py": grateful})
			write(t, filepath.Join(dir, "blog"), tt.files)
			h := open(t, dir, installing(tt.install))
			s, _ := h.status("blog")
			if s.State != webapps.Failed || !strings.Contains(s.Failure.Error(), tt.says) {
				t.Errorf("it is %v, %v", s.State, s.Failure)
			}
		})
	}
}

// TestInstallStep: who waits for a deployment is told that it installs, and the end
// of the server ends that.
func TestInstallStep(t *testing.T) {
	testserver.NoLeaks(t)
	fakeUV(t)
	dir := t.TempDir()
	h := open(t, dir, installing(webapps.Install{On: true, Wheels: t.TempDir()}))
	write(t, filepath.Join(dir, "blog"), tree{"app.py": grateful, "requirements.txt": "sleep"})
	h.awaits("blog", "installs", func(s webapps.Status) bool { return s.Deploying && s.Step == webapps.Installing })
	h.close()
	if left, err := os.ReadDir(filepath.Join(dir, ".gatehouse/apps/blog/venv")); err != nil || len(left) > 0 {
		t.Errorf("environments are left: %v, %v", left, err)
	}
}
