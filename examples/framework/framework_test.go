package framework_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// address is what both servers say of where they serve.
const address = `(http://127\.0\.0\.1:\d+/)`

// get asks for a page, on a connection of its own.
func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	return testserver.Do(t, testserver.NewRequest(t, http.MethodGet, url, ""))
}

// read is what a file holds.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSite asks the site in Python and the one in Go for the same pages.
func TestSite(t *testing.T) {
	gatehouse, router := testserver.Build(t, "../../cmd/gatehouse"), testserver.Build(t, "./router")
	for _, site := range []struct {
		name, program string
		args          []string
	}{
		{"Python", gatehouse, []string{"run", "--workers", "2", "--listen", "127.0.0.1:0"}},
		{"Go", router, []string{"-html", "html", "-listen", "127.0.0.1:0"}},
	} {
		t.Run(site.name, func(t *testing.T) {
			p := testserver.StartProgram(t, ".", site.program, site.args...)
			url := p.Await(address)
			for _, test := range []struct {
				path   string
				status int
				want   string // a part of the page
			}{
				{"", 200, "<h1>A tiny framework</h1>"},
				{"hello", 200, "<h1>Hello, world!</h1>"},
				{"hello?name=%3Cb%3E", 200, "<h1>Hello, &lt;b&gt;!</h1>"},
				{"time", 200, "</time> UTC"},
				{"static/site.css", 200, read(t, "html/site.css")},
				{"static/", 200, read(t, "html/index.html")},
				{"static/short.html", 200, read(t, "html/short.html")},
				{"static/nothing.html", 404, ""},
				{"static/..%2fapp.py", 404, ""},
				{"nothing", 404, ""},
				{"hello/you", 404, ""},
				{"app.py", 404, ""},
			} {
				resp, body := get(t, url+test.path)
				if resp.StatusCode != test.status || !strings.Contains(body, test.want) {
					t.Errorf("/%s: %s with\n%s\nwant %d with\n%s", test.path, resp.Status, body, test.status, test.want)
				}
				media := strings.ToLower(resp.Header.Get("Content-Type"))
				gbk := strings.HasPrefix(test.path, "static/") && strings.Contains(body, "<html")
				if gbk && resp.StatusCode == http.StatusOK && media != "text/html" && media != "text/html; charset=gbk" {
					t.Errorf("/%s, which is written in GBK, is sent as %s", test.path, media)
				}
			}
			p.Interrupt()
			if status := p.Wait(); status != 0 {
				t.Errorf("after Ctrl-C the exit status is %d", status)
			}
		})
	}
}

// TestFailure has functions that raise: the client gets an error page, the log
// the traceback, and the next client its page.
func TestFailure(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tiny.py": read(t, "tiny.py"),
		"app.py": `from tiny import Framework

def divide(environ):
    return str(1 / 0)

def load(environ):
    import no_such_module

application = Framework([("/divide", divide), ("/load", load), ("/", lambda environ: "alive")])
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := testserver.StartProgram(t, dir, testserver.Build(t, "../../cmd/gatehouse"), "run", "--workers", "1", "--listen", "127.0.0.1:0")
	url := p.Await(address)
	for path, cause := range map[string]string{"divide": "ZeroDivisionError", "load": "no_such_module"} {
		resp, body := get(t, url+path)
		if resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, cause) {
			t.Errorf("/%s: %s with\n%s", path, resp.Status, body)
		}
		p.Log.Wait(t, cause)
		if resp, body := get(t, url); resp.StatusCode != http.StatusOK || body != "alive" {
			t.Errorf("after /%s: %s with %s", path, resp.Status, body)
		}
	}
	p.Interrupt()
	p.Wait()
}
