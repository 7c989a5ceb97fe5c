package static_test

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// address is what a server on this machine says of where it serves.
const address = `serving .*(http://127\.0\.0\.1:\d+/)`

// get asks for a page, on a connection of its own.
func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	return testserver.Do(t, testserver.NewRequest(t, http.MethodGet, url, ""))
}

// TestSite asks for each kind of page, several clients at a time.
func TestSite(t *testing.T) {
	gatehouse := testserver.Build(t, "../../cmd/gatehouse")
	site := testserver.StartProgram(t, "site", gatehouse, "0").Await(address)
	for _, test := range []struct {
		name, path  string
		status      int
		file, media string
	}{
		{"the first page", "", 200, "index.html", "text/html"},
		{"a page by its name", "index.html", 200, "index.html", "text/html"},
		{"a style sheet", "site.css", 200, "site.css", "text/css"},
		{"a picture", "mark.svg", 200, "mark.svg", "image/svg+xml"},
		{"a text", "poem.txt?line=2", 200, "poem.txt", "text/plain"},
		{"no such page", "elsewhere", 404, "NotFound.html", "text/html"},
		{"no such folder", "a/b/c.html", 404, "NotFound.html", "text/html"},
		{"the page for that, by its name", "NotFound.html", 200, "NotFound.html", "text/html"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("site", test.file))
			if err != nil {
				t.Fatal(err)
			}
			var clients sync.WaitGroup
			for range 4 {
				clients.Go(func() {
					resp, body := get(t, site+test.path)
					if resp.StatusCode != test.status || body != string(want) {
						t.Errorf("%s with %q, want %d with %s", resp.Status, body, test.status, test.file)
					}
					if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, test.media) {
						t.Errorf("Content-Type is %s, want %s", got, test.media)
					}
				})
			}
			clients.Wait()
		})
	}
}

// TestEnd ends a server with clients on it, one of which has said nothing and
// one only a half of its request, and starts the next on the same port.
func TestEnd(t *testing.T) {
	gatehouse := testserver.Build(t, "../../cmd/gatehouse")
	first := testserver.StartProgram(t, "site", gatehouse, "0")
	site, err := url.Parse(first.Await(address))
	if err != nil {
		t.Fatal(err)
	}
	for _, begun := range []string{"", "GET / HT", "GET /poem.txt HTTP/1.1\r\nHost: test\r\n\r\n"} {
		conn, err := net.Dial("tcp", site.Host)
		if err != nil {
			t.Fatal(err)
		}
		c := testserver.NewClient(t, conn)
		c.Send(begun)
		if strings.HasSuffix(begun, "\r\n\r\n") {
			c.Response(http.MethodGet)
		}
	}
	// Wait is less patient than --drain: nothing may wait for these clients.
	first.Interrupt()
	if status := first.Wait(); status != 0 {
		t.Errorf("after Ctrl-C the exit status is %d", status)
	}
	again := testserver.StartProgram(t, "site", gatehouse, site.Port()).Await(address)
	if again != site.String() {
		t.Errorf("the second server is at %s, want %s", again, site)
	}
	if resp, _ := get(t, again); resp.StatusCode != http.StatusOK {
		t.Errorf("the second server answers %s", resp.Status)
	}
}

// TestOpen is reachable for other computers, and says so.
func TestOpen(t *testing.T) {
	gatehouse := testserver.Build(t, "../../cmd/gatehouse")
	p := testserver.StartProgram(t, "site", gatehouse, "--listen", ":0")
	p.Log.Wait(t, "everybody on the network can reach this")
	site := p.Await(address)
	if resp, _ := get(t, strings.Replace(site, "127.0.0.1", "[::1]", 1)); resp.StatusCode != http.StatusOK {
		t.Errorf("over IPv6 it answers %s", resp.Status)
	}
}

// TestUsage ends with status 2 and says how to call it.
func TestUsage(t *testing.T) {
	gatehouse := testserver.Build(t, "../../cmd/gatehouse")
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"70000"}, "70000"},
		{[]string{"site", "9000", "more"}, "one argument too many"},
		{[]string{"--listen"}, "--listen"},
		{[]string{"--port", "9000"}, "--port"},
	} {
		p := testserver.StartProgram(t, ".", gatehouse, test.args...)
		if status := p.Wait(); status != 2 {
			t.Errorf("%q: the exit status is %d, want 2", test.args, status)
		}
		if got := p.Log.String(); !strings.Contains(got, test.says) || !strings.Contains(got, "usage: gatehouse [flags] [DIR] [PORT]") {
			t.Errorf("%q: printed %q", test.args, got)
		}
	}
}
