package cgi_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// guestbook is a script as they were written twenty years ago.
const guestbook = `#!/usr/bin/env python
import cgi, os, sys
import cgitb; cgitb.enable()

form = cgi.FieldStorage()
print("Content-type: text/html")
print()
if form.has_key("name") if hasattr(form, "has_key") else "name" in form:
    print("<p>%s (%s)" % (cgi.escape(form.getvalue("name")) if hasattr(cgi, "escape") else "", ",".join(form.getlist("likes"))))
if "picture" in form and form["picture"].filename:
    item = form["picture"]
    data = item.file.read()
    print("<p>%s %s %d %d" % (item.filename, item.type, len(data), sum(data)))
if form.getfirst("fail"):
    sys.stdout.flush()
    raise ValueError("<i>" + form.getfirst("fail"))
print("<p>" + cgi.__file__)
`

// temporary returns the system's folder for temporary files, which is another one
// until the test ends.
func temporary(t *testing.T) string {
	t.Helper()
	dir := folder(t, nil)
	t.Setenv("TMPDIR", dir)
	return dir
}

// everyPython lists the interpreters that scripts are tested with: python3, and
// those that GATEHOUSE_TEST_PYTHONS lists.
func everyPython() []string {
	return append([]string{"python3"}, filepath.SplitList(os.Getenv("GATEHOUSE_TEST_PYTHONS"))...)
}

// shipsCGI reports whether an interpreter has a module cgi.
func shipsCGI(t testing.TB, python string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, "-c", "import sys; print(sys.version_info < (3, 13))").Output()
	must(t, err)
	return string(out) == "True\n"
}

// withoutCGI returns an environment in which no Python has cgi or cgitb of its
// own.
func withoutCGI(t testing.TB) []string {
	t.Helper()
	dir := folder(t, files{"sitecustomize.py": `
import importlib.machinery, os

def hide(find):
    def find_spec(name, path=None, target=None):
        spec = find(name, path, target)
        shipped = spec and spec.origin and os.path.dirname(spec.origin) == os.path.dirname(os.__file__)
        return None if shipped and name in ("cgi", "cgitb") else spec
    return staticmethod(find_spec)

importlib.machinery.PathFinder.find_spec = hide(importlib.machinery.PathFinder.find_spec)
`})
	return []string{"PYTHONPATH=" + dir, "PATH=" + os.Getenv("PATH")}
}

// shellNamed makes a shell that is called like a Python.
func shellNamed(t testing.TB, path string) {
	t.Helper()
	shell, err := os.ReadFile("/bin/sh")
	must(t, err)
	put(t, filepath.Dir(path), filepath.Base(path), string(shell), 0o755)
}

// form writes a request with a form of that kind.
func form(t testing.TB, target string, picture []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	must(t, w.WriteField("name", "<b>Ada & Grace</b>"))
	must(t, w.WriteField("likes", "tea"))
	must(t, w.WriteField("likes", "cake"))
	file, err := w.CreateFormFile("picture", "me.png")
	must(t, err)
	_, err = file.Write(picture)
	must(t, err)
	must(t, w.Close())
	return ask("POST", target, b.String(), "Content-Type: "+w.FormDataContentType())
}

// An old script works, whatever Python runs it.
func TestGuestbook(t *testing.T) {
	picture := bytes.Repeat([]byte("\x89PNG\r\n\x1a\n\x00\xff--"), 20_000)
	sum := 0
	for _, c := range picture {
		sum += int(c)
	}
	type setup struct {
		name, python string
		env          []string
		ours         bool
	}
	tests := []setup{{"hidden", "python3", withoutCGI(t), true}}
	for _, python := range everyPython() {
		tests = append(tests, setup{python, python, nil, !shipsCGI(t, python)})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inEachWay(t, func(t *testing.T, w way) {
				spool := temporary(t)
				site := w.open(t, folder(t, files{"book.py": guestbook}), cgi.Config{
					Python: tt.python, Env: tt.env, Interpreters: map[string]string{".py": ""},
				})
				must(t, os.Chmod(filepath.Join(site.dir, "book.py"), 0o644)) // by its ending, so by that Python
				age(t, filepath.Join(site.dir, "book.py"))
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					s := site.serve(t, m)
					page := s.Ask(form(t, "/cgi-bin/book.py", picture)).Text()
					if want := fmt.Sprintf("<p>me.png image/png %d %d\n", len(picture), sum); !strings.Contains(strings.Replace(page, "application/octet-stream", "image/png", 1), want) {
						t.Errorf("no %q in\n%s", want, page)
					}
					if ours := strings.Contains(page, filepath.Join(spool, "gatehouse-modules-")); ours != tt.ours {
						t.Errorf("the module is ours: %v, want %v\n%s", ours, tt.ours, page)
					}
					if want := "<p>&lt;b&gt;Ada &amp; Grace&lt;/b&gt; (tea,cake)\n"; tt.ours && !strings.Contains(page, want) {
						t.Errorf("no %q in\n%s", want, page)
					}
					if page := s.Get("/cgi-bin/book.py?fail=x").Text(); strings.Contains(page, "<i>") || !strings.Contains(page, "ValueError") {
						t.Errorf("the report of a failure is\n%s", page)
					}
				}, modes...)
				if tt.ours {
					site.log.Line(t, "ValueError: <i>x")
				}
				if log := site.log.String(); strings.Contains(log, "Deprecat") {
					t.Errorf("the log has what nobody can mend:\n%s", log)
				}
			})
		})
	}
}

// A script that fails before it prints anything answers with a page and a status.
func TestReportAsHead(t *testing.T) {
	dir := folder(t, files{"fails": "#!/usr/bin/env python3\nimport cgitb\ncgitb.enable()\n1 / 0\n"})
	s := open(t, dir, cgi.Config{Env: withoutCGI(t)}).serve(t, testserver.H1)
	res := s.Get("/cgi-bin/fails")
	if res.Status != 500 || res.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(res.Text(), "<h1>ZeroDivisionError") {
		t.Errorf("%d, %s\n%s", res.Status, res.Get("Content-Type"), res.Text())
	}
}

// Which programs find the modules.
func TestModulesForPython(t *testing.T) {
	const where = "import os\nprint('Content-Type: text/plain\\n\\n' + os.environ.get('PYTHONPATH', ''))\n"
	python, err := exec.LookPath("python3")
	must(t, err)
	dir := folder(t, files{
		"env":      "#!/usr/bin/env python3\n" + where,
		"split":    "#!/usr/bin/env -S python3 -u\n" + where,
		"variable": "#!/usr/bin/env -S A=b python3\n" + where,
		"path":     "#!" + python + " -u\n" + where,
		"nowhere":  "#!/no/such/python\n" + where,
		"shell":    text + "echo $PYTHONPATH\n",
		"ending":   where,
		"old/":     "",
	})
	must(t, os.Rename(filepath.Join(dir, "ending"), filepath.Join(dir, "ending.py")))
	shellNamed(t, filepath.Join(dir, "old", "python2.7"))
	must(t, os.Symlink("python2.7", filepath.Join(dir, "old", "python")))
	for _, name := range []string{"python2.7", "python"} {
		put(t, dir, name, "#!"+filepath.Join(dir, "old", name)+"\nprintf 'Content-Type: text/plain\\n\\n'; echo $PYTHONPATH\n", 0o755)
	}
	for _, c := range []cgi.Config{{}, {Env: []string{"PYTHONPATH=/mine:/too"}}, {Env: []string{"PYTHONPATH="}}, {NoCompat: true}} {
		spool := temporary(t)
		s := open(t, dir, c).serve(t, testserver.H1)
		made, err := filepath.Glob(filepath.Join(spool, "*"))
		must(t, err)
		if c.NoCompat != (len(made) == 0) {
			t.Errorf("%+v: made %q", c, made)
		}
		mine := ""
		if len(c.Env) > 0 {
			mine = strings.TrimPrefix(c.Env[0], "PYTHONPATH=")
		}
		with := strings.Trim(mine+":"+strings.Join(made, ""), ":")
		for name, want := range map[string]string{
			"env": with, "split": with, "variable": with, "path": with, "nowhere": with, "ending.py": with,
			"shell": mine, "python2.7": mine, "python": mine,
		} {
			if got := strings.TrimSpace(s.Get("/cgi-bin/" + name).Text()); got != want {
				t.Errorf("%s with %q: PYTHONPATH is %q, want %q", name, c.Env, got, want)
			}
		}
	}
}

// Without the modules, and without the interpreter's, the log says what is
// missing.
func TestNoCompat(t *testing.T) {
	dir := folder(t, files{"book.py": guestbook})
	site := open(t, dir, cgi.Config{Env: withoutCGI(t), NoCompat: true})
	if res := site.serve(t, testserver.H1).Get("/cgi-bin/book.py"); res.Status != 502 {
		t.Errorf("%d", res.Status)
	}
	site.log.Line(t, "ModuleNotFoundError", "cgi")
}

// A script's own module comes first.
func TestOwnModule(t *testing.T) {
	dir := folder(t, files{
		"own":    "#!/usr/bin/env python3\nimport cgi\nprint('Content-Type: text/plain\\n\\n' + cgi.mine)\n",
		"cgi.py": "mine = 'mine'\n",
	})
	if res := open(t, dir, cgi.Config{Env: withoutCGI(t)}).serve(t, testserver.H1).Get("/cgi-bin/own"); res.Text() != "mine\n" {
		t.Errorf("%d %q", res.Status, res.Text())
	}
}

// The folder is the handler's own: nobody else may change it, and it goes with
// the handler. One that a killed server has left goes when the next one starts.
func TestFolderOfModules(t *testing.T) {
	spool := temporary(t)
	list := func() []string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(spool, "*"))
		must(t, err)
		return found
	}
	dir := folder(t, nil)
	first, err := cgi.Open(cgi.Config{Dir: dir})
	must(t, err)
	mine := list()
	if len(mine) != 1 {
		t.Fatalf("made %q", mine)
	}
	info, err := os.Stat(mine[0])
	must(t, err)
	if info.Mode().Perm() != 0o755 {
		t.Errorf("mode %v", info.Mode())
	}

	old := time.Now().Add(-2 * time.Hour)
	orphan, fresh, link := filepath.Join(spool, "gatehouse-modules-1"), filepath.Join(spool, "gatehouse-modules-2"), filepath.Join(spool, "gatehouse-modules-3")
	outside := folder(t, files{"file": "kept"})
	must(t, os.MkdirAll(filepath.Join(orphan, "gatehouse_compat"), 0o755))
	must(t, os.Mkdir(fresh, 0o755))
	must(t, os.Symlink(outside, link))
	for _, path := range []string{mine[0], orphan, outside} {
		must(t, os.Chtimes(path, old, old))
	}
	kept := map[string]bool{mine[0]: true, fresh: true, link: true}
	if os.Getuid() == 0 {
		others := filepath.Join(spool, "gatehouse-modules-4")
		must(t, os.Mkdir(others, 0o755))
		must(t, os.Chown(others, 61234, 61234))
		must(t, os.Chtimes(others, old, old))
		kept[others] = true
	}
	second, err := cgi.Open(cgi.Config{Dir: dir})
	must(t, err)
	for path := range kept {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("it is not there any more: %v", err)
		}
	}
	if _, err := os.Lstat(orphan); err == nil {
		t.Error("the dead server's folder is still there")
	}
	if _, err := os.Stat(filepath.Join(outside, "file")); err != nil {
		t.Error(err)
	}
	must(t, first.Close())
	must(t, second.Close())
	if left := list(); len(left) != len(kept)-1 {
		t.Errorf("left behind: %q", left)
	}
}

// Where there is no place for the modules, scripts run nevertheless.
func TestNoPlaceForModules(t *testing.T) {
	dir := folder(t, files{"hello": text + "echo hello\n"})
	t.Setenv("TMPDIR", "/no/such/folder")
	site := open(t, dir, cgi.Config{})
	if res := site.serve(t, testserver.H1).Get("/cgi-bin/hello"); res.Text() != "hello\n" {
		t.Errorf("%d %q", res.Status, res.Text())
	}
	site.log.Line(t, "WARN", "without the modules cgi and cgitb")
}

// Bodies of every length arrive whole, spooled or not.
func TestUploadsOfAllSizes(t *testing.T) {
	const echo = `#!/usr/bin/env python3
import cgi, sys
form = cgi.FieldStorage()
sys.stdout.buffer.write(b"Content-Type: application/octet-stream\n\n" + form["picture"].file.read())
`
	s := open(t, folder(t, files{"echo": echo}), cgi.Config{Env: withoutCGI(t)}).serve(t, testserver.H1)
	for _, n := range []int{0, 1, 1000, 1001, 1<<16 - 1, 1 << 16, 1<<16 + 1, 3 << 20} {
		picture := make([]byte, n)
		for i := range picture {
			picture[i] = "\r\n-x"[i*7%11%4]
		}
		if got := s.Ask(form(t, "/cgi-bin/echo", picture)); !bytes.Equal(got.Body, picture) {
			t.Errorf("of %d bytes arrived %d, with status %d", n, len(got.Body), got.Status)
		}
	}
}
