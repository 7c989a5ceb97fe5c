package guestbook_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

const script = "cgi-bin/guestbook.py"

// hide is what takes cgi from the standard library of any Python.
const hide = `
import importlib.machinery, os

def hiding(find):
    def find_spec(name, path=None, target=None):
        spec = find(name, path, target)
        shipped = spec and spec.origin and os.path.dirname(spec.origin) == os.path.dirname(os.__file__)
        return None if shipped and name == "cgi" else spec
    return staticmethod(find_spec)

importlib.machinery.PathFinder.find_spec = hiding(importlib.machinery.PathFinder.find_spec)
`

// pythonWithoutCGI makes an interpreter as they are since Python 3.13, whatever
// python3 is here.
func pythonWithoutCGI(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	wrapper := filepath.Join(dir, "python3")
	for path, text := range map[string]string{
		filepath.Join(dir, "sitecustomize.py"): hide,
		wrapper:                                "#!/bin/sh\nPYTHONPATH='" + dir + "'${PYTHONPATH:+:$PYTHONPATH} exec '" + python + "' \"$@\"\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return wrapper
}

// start serves a copy of the site until the test ends and returns its address
// and the program.
func start(t *testing.T, args ...string) (string, *testserver.Program) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// What the example has written here before stays here.
	for _, name := range []string{"index.html", "guestbook.css", script} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		// Not executable, it is run by --cgi-python.
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := testserver.StartProgram(t, dir, testserver.Build(t, "../../cmd/gatehouse"), append(args, "--cgi", "0")...)
	t.Cleanup(func() {
		p.Interrupt()
		if status := p.Wait(); status != 0 {
			t.Errorf("after Ctrl-C the exit status is %d", status)
		}
	})
	return p.Await(`serving .*(http://127\.0\.0\.1:\d+/)`), p
}

// send sends a request and reads the answer; redirects are not followed.
func send(t *testing.T, method, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	r := testserver.NewRequest(t, method, address, form.Encode())
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return testserver.Do(t, r)
}

func TestGuestbook(t *testing.T) {
	for name, python := range map[string]string{"with cgi": "python3", "without cgi": pythonWithoutCGI(t)} {
		t.Run(name, func(t *testing.T) {
			site, _ := start(t, "--cgi-python", python)
			if resp, page := send(t, http.MethodGet, site, nil); resp.StatusCode != http.StatusOK || !strings.Contains(page, `href="`+script+`"`) {
				t.Errorf("the first page: %s with %s", resp.Status, page)
			}
			for _, test := range []struct {
				name, message string
				status        int
				want          string // in the page that follows
			}{
				{"Ada", "How nice!", 303, "<p>How nice!</p>"},
				{"<script>alert(1)</script>", `"; DROP TABLE entry; --`, 303, "<strong>&lt;script&gt;alert(1)&lt;/script&gt;</strong>"},
				{"墨水", "ü\nsecond line", 303, "<p>ü\nsecond line</p>"},
				{"long", strings.Repeat("y", 2000), 303, strings.Repeat("y", 2000) + "</p>"},
				{"too long", strings.Repeat("y", 2001), 400, `<p role="alert">`},
				{`"><b>`, "", 400, `value="&quot;&gt;&lt;b&gt;"`},
			} {
				resp, page := send(t, http.MethodPost, site+script, url.Values{"name": {test.name}, "message": {test.message}})
				if resp.StatusCode != test.status {
					t.Errorf("%s: %s with %s", test.name, resp.Status, page)
				}
				if test.status == http.StatusSeeOther {
					if to := resp.Header.Get("Location"); to != "/"+script {
						t.Errorf("%s: sent to %q", test.name, to)
					}
					_, page = send(t, http.MethodGet, site+script, nil)
				}
				if !strings.Contains(page, test.want) {
					t.Errorf("%s: no %q in %s", test.name, test.want, page)
				}
			}
			if resp, _ := send(t, http.MethodDelete, site+script, nil); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
				t.Errorf("DELETE: %s", resp.Status)
			}
			for _, path := range []string{".data/guestbook.db", ".data/", "cgi-bin/..%2f.data/guestbook.db", "cgi-bin/"} {
				if resp, body := send(t, http.MethodGet, site+path, nil); resp.StatusCode < 400 || strings.Contains(body, "SQLite") {
					t.Errorf("%s: %s", path, resp.Status)
				}
			}
		})
	}
}

// Several sign at the same time, and nobody's entry is lost.
func TestMany(t *testing.T) {
	site, _ := start(t)
	var guests sync.WaitGroup
	for range 6 {
		guests.Go(func() {
			resp, page := send(t, http.MethodPost, site+script, url.Values{"name": {"guest"}, "message": {"hello"}})
			if resp.StatusCode != http.StatusSeeOther {
				t.Errorf("%s with %s", resp.Status, page)
			}
		})
	}
	guests.Wait()
	if _, page := send(t, http.MethodGet, site+script, nil); !strings.Contains(page, "<p>Entries: 6</p>") {
		t.Error(page)
	}
}

// Switched off, the log says what the script is missing.
func TestOff(t *testing.T) {
	site, p := start(t, "--cgi-python", pythonWithoutCGI(t), "--cgi-compat=off")
	if resp, _ := send(t, http.MethodGet, site+script, nil); resp.StatusCode != http.StatusBadGateway {
		t.Error(resp.Status)
	}
	p.Log.Wait(t, "No module named 'cgi'")
}
