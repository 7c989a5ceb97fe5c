package pages_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// start serves a copy of the site, which only its owner may write to, and returns
// its folder and address.
func start(t *testing.T) (p *testserver.Program, dir, url string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && !strings.HasSuffix(path, ".py") {
			return err
		}
		return os.Chmod(path, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
	p = testserver.StartProgram(t, dir, testserver.Build(t, "../../cmd/gatehouse"),
		"--pages", "--pages-args", "query", "--html", "html", "--listen", "127.0.0.1:0")
	return p, dir, p.Await(`(http://127\.0\.0\.1:\d+/)`)
}

// send sends a request on a connection of its own and reads the answer.
func send(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	return testserver.Do(t, testserver.NewRequest(t, method, url, ""))
}

// write saves a page.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read is what a file of the example holds.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSite asks for pages of all kinds.
func TestSite(t *testing.T) {
	p, _, url := start(t)
	for _, test := range []struct {
		method, path string
		status       int
		media        string
		want         string // a part of the page
	}{
		{"GET", "", 200, "text/html; charset=gbk", read(t, "html/index.html")},
		{"HEAD", "index.html", 200, "text/html; charset=gbk", ""},
		{"GET", "clock.svg", 200, "image/svg+xml", "<circle"},
		{"GET", "nothing.html", 404, "text/html; charset=gbk", read(t, "html/NotFound.html")},
		{"GET", "nothing.py", 404, "text/html; charset=gbk", read(t, "html/NotFound.html")},
		{"POST", "index.html", 405, "", ""},

		{"GET", "mytime.py", 200, "text/html; charset=utf-8", `<code id="path">/mytime.py</code>`},
		{"GET", "mytime.py/extra", 200, "text/html; charset=utf-8", `<code id="path">/mytime.py/extra</code>`},
		{"GET", "mytime.py/%3Cb%3E", 200, "text/html; charset=utf-8", `<code id="path">/mytime.py/&lt;b&gt;</code>`},
		{"POST", "mytime.py", 200, "text/html; charset=utf-8", "<h1>It is <time>"},

		{"GET", "calc.py?a=1&b=2", 200, "text/html; charset=utf-8", "<h1>1 + 2 = 3</h1>"},
		{"GET", "calc.py?a=-1.5&b=2%2E25", 200, "text/html; charset=utf-8", "<h1>-1.5 + 2.25 = 0.75</h1>"},
		{"GET", "calc.py", 400, "text/html; charset=utf-8", "<h1>a is &#x27;&#x27; and not a number</h1>"},
		{"GET", "calc.py?a=%3Cb%3E&b=$(id)", 400, "text/html; charset=utf-8", "<h1>a is &#x27;&lt;b&gt;&#x27; and not a number</h1>"},

		{"GET", "html/index.html", 404, "", ""},
		{"GET", "README.md", 404, "", ""},
		{"GET", "mytime%2Epy%2F", 404, "", ""},
		{"GET", "..%2fmytime.py", 404, "", ""},
	} {
		resp, body := send(t, test.method, url+test.path)
		if resp.StatusCode != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s /%s: %s with\n%s\nwant %d with\n%s", test.method, test.path, resp.Status, body, test.status, test.want)
		}
		if got := resp.Header.Get("Content-Type"); test.media != "" && !strings.EqualFold(got, test.media) {
			t.Errorf("%s /%s: the type is %s, want %s", test.method, test.path, got, test.media)
		}
		if strings.Contains(body, "start_response") || strings.Contains(body, "import") {
			t.Errorf("%s /%s shows source:\n%s", test.method, test.path, body)
		}
	}
	p.Interrupt()
	if status := p.Wait(); status != 0 {
		t.Errorf("after Ctrl-C the exit status is %d", status)
	}
}

// TestFailures has pages that fail: each is an error page at its own address, and
// what is wrong stands in the log.
func TestFailures(t *testing.T) {
	p, dir, url := start(t)
	for _, test := range []struct {
		name, text string
		status     int
		says       []string // in the log
	}{
		{"import.py", "import no_such_module\ndef application(environ, start_response):\n    pass\n", 500, []string{"No module named 'no_such_module'", "Traceback"}},
		{"raises.py", "def application(environ, start_response):\n    return 1 / 0\n", 500, []string{"ZeroDivisionError", "raises.py"}},
		{"text.py", "def application(environ, start_response):\n    start_response('200 OK', [])\n    return ['text']\n", 500, []string{"text.py:1", "bytes", "PEP 3333"}},
		{"status.py", "def application(environ, start_response):\n    start_response('HTTP/1.1 200 OK', [])\n    return [b'']\n", 500, []string{"status.py:2", "HTTP/1.1 200 OK"}},
		{"crash.py", "import os\ndef application(environ, start_response):\n    os.abort()\n", 502, []string{"crash.py"}},
		{"print.py", "print(1 / 0)\n", 502, []string{"ZeroDivisionError", "print.py"}},
	} {
		write(t, dir, test.name, test.text)
		resp, body := send(t, http.MethodGet, url+test.name)
		if resp.StatusCode != test.status || strings.Contains(body, "Error") && strings.Contains(body, "Traceback") {
			t.Errorf("/%s: %s with\n%s", test.name, resp.Status, body)
		}
		for _, text := range test.says {
			p.Log.Wait(t, text)
		}
		if resp, _ := send(t, http.MethodGet, url+"mytime.py"); resp.StatusCode != http.StatusOK {
			t.Errorf("after /%s the other page answers %s", test.name, resp.Status)
		}
	}
	write(t, dir, "import.py", "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'mended']\n")
	if resp, body := send(t, http.MethodGet, url+"import.py"); resp.StatusCode != http.StatusOK || body != "mended" {
		t.Errorf("after it was mended: %s with\n%s", resp.Status, body)
	}
	p.Interrupt()
	p.Wait()
}
