package sites_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// ask makes a request for a path of a host.
func ask(t *testing.T, method, url, host, path string) (*http.Response, string) {
	t.Helper()
	r := testserver.NewRequest(t, method, url+path, "")
	r.Host = host
	return testserver.Do(t, r)
}

func TestSites(t *testing.T) {
	gatehouse := testserver.Build(t, "../../cmd/gatehouse")
	url := testserver.StartProgram(t, ".", gatehouse, "run", "--listen", "127.0.0.1:0").Await(`ready .*(http://127\.0\.0\.1:\d+)/`)
	for _, tt := range []struct {
		name, method, host, path string
		status                   int
		body                     string // is in it
		field, value             string
	}{
		{"the first page", "GET", "example.org", "/", 200, "the board", "X-Frame-Options", "DENY"},
		{"by the star", "GET", "www.example.org", "/", 200, "the board", "X-Frame-Options", "DENY"},
		{"an application", "GET", "example.org", "/board/7", 200, "The board, at /board /7", "X-Frame-Options", "DENY"},
		{"a script", "GET", "example.org", "/tools/clock.sh", 200, ":", "Content-Type", "text/plain"},
		{"a style sheet", "GET", "example.org", "/style/site.css", 200, "serif", "Cache-Control", "public, max-age=86400"},
		{"a redirect", "GET", "example.org", "/old/7?x=1", 301, "", "Location", "/board/7?x=1"},
		{"a fixed answer", "GET", "example.org", "/contact", 200, "Write to the desk.", "Content-Type", "text/plain; charset=utf-8"},
		{"another method", "POST", "example.org", "/contact", 405, "405", "Allow", "GET, HEAD, OPTIONS"},
		{"what is private", "GET", "example.org", "/private/x", 403, "403", "X-Frame-Options", "DENY"},
		{"the page for what is not there", "GET", "example.org", "/x", 404, "no such page", "X-Frame-Options", "DENY"},
		{"a page without its ending", "GET", "desk.example.org", "/about", 200, "About the desk", "X-Frame-Options", ""},
		{"an address of the single page", "GET", "desk.example.org", "/drawers/3", 200, "whatever its address", "Cache-Control", "no-cache"},
		{"another host", "GET", "example.net", "/a/b", 302, "", "Location", "http://example.org/a/b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := ask(t, tt.method, url, tt.host, tt.path)
			if got := resp.Header.Get(tt.field); resp.StatusCode != tt.status || !strings.Contains(body, tt.body) || got != tt.value {
				t.Errorf("%d, %s: %q, %q; want %d, %q, %q in it", resp.StatusCode, tt.field, got, body, tt.status, tt.value, tt.body)
			}
		})
	}
}

// The guide shows the file as it is.
func TestGuide(t *testing.T) {
	file, err := os.ReadFile("gatehouse.toml")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/guide/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "```toml\n"+string(file)+"```\n") {
		t.Error("docs/guide/configuration.md does not show examples/sites/gatehouse.toml as it is")
	}
}
