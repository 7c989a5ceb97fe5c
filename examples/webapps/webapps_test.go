package webapps_test

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// start serves a copy of the folder, which the test may change.
func start(t *testing.T) (p *testserver.Program, site, apps string) {
	t.Helper()
	dir := t.TempDir()
	apps = filepath.Join(dir, "webapps")
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	p = testserver.StartProgram(t, dir, testserver.Build(t, "../../cmd/gatehouse"), "run", "--user", me.Username, "0")
	return p, p.Await(`ready +(http://[^ ]+/)`), apps
}

func ask(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	return testserver.Do(t, testserver.NewRequest(t, method, url, body))
}

// TestFiles asks for files of each application, many clients at once: the right
// type, and always the right length.
func TestFiles(t *testing.T) {
	_, site, apps := start(t)
	for _, tt := range []struct{ path, file, media string }{
		{"", "ROOT/index.html", "text/html"},
		{"index.html", "ROOT/index.html", "text/html"},
		{"webapp/", "webapp/index.html", "text/html"},
		{"webapp/index.html?a=1", "webapp/index.html", "text/html"},
		{"webapp/site.css", "webapp/site.css", "text/css"},
		{"webapp/site.js", "webapp/site.js", "text/javascript"},
		{"webapp/dot.gif", "webapp/dot.gif", "image/gif"},
		{"webapp/letter.doc", "webapp/letter.doc", "application/msword"},
		{"webapp/film.mp4", "webapp/film.mp4", "video/mp4"},
		{"tools/visits/", "tools#visits/index.html", "text/html"},
	} {
		want, err := os.ReadFile(filepath.Join(apps, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				resp, body := ask(t, http.MethodGet, site+tt.path, "")
				if resp.StatusCode != http.StatusOK || body != string(want) || resp.ContentLength != int64(len(want)) {
					t.Errorf("%q: %s with %d bytes, announced %d; want %s", tt.path, resp.Status, len(body), resp.ContentLength, tt.file)
				}
				if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, tt.media) {
					t.Errorf("%q: Content-Type is %s, want %s", tt.path, got, tt.media)
				}
			})
		}
		clients.Wait()
	}
	for path, status := range map[string]int{"nothing": 404, "webapp/nothing": 404, "webapp": 307, "time/app.py": 404, "tools%23visits/": 404, ".gatehouse/key": 404} {
		if resp, _ := ask(t, http.MethodGet, site+path, ""); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, resp.Status, status)
		}
	}
}

// TestMethods: everything for applications and scripts, GET and HEAD for files.
func TestMethods(t *testing.T) {
	_, site, _ := start(t)
	if resp, _ := ask(t, http.MethodPost, site+"webapp/index.html", "a=1"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST to a file: %s, Allow %q", resp.Status, resp.Header.Get("Allow"))
	}
	if resp, body := ask(t, http.MethodPost, site+"time/", "hello"); resp.StatusCode != 200 || !strings.HasSuffix(body, "at /time/\nhello") {
		t.Errorf("POST to the application: %s %q", resp.Status, body)
	}
	for n := 1; n <= 2; n++ {
		want := fmt.Sprintf("visit %d of /tools/visits/cgi-bin/count.sh\n", n)
		if resp, body := ask(t, http.MethodPost, site+"tools/visits/cgi-bin/count.sh", ""); resp.StatusCode != 200 || body != want {
			t.Errorf("POST to the script: %s %q, want %q", resp.Status, body, want)
		}
	}
}

// TestHeaders: the fields in the server's file are in every answer, whoever gives
// it.
func TestHeaders(t *testing.T) {
	_, site, apps := start(t)
	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"a file", "GET", "webapp/site.css", 200},
		{"a file's head", "HEAD", "webapp/film.mp4", 200},
		{"no file", "GET", "webapp/nothing", 404},
		{"a method that files have not", "POST", "webapp/index.html", 405},
		{"the way into a folder", "GET", "webapp", 307},
		{"an application", "GET", "time/", 200},
		{"an application's error", "GET", "time/nothing", 404},
		{"a script", "GET", "tools/visits/cgi-bin/count.sh", 200},
		{"no application", "GET", "nothing/", 404},
	} {
		resp, _ := ask(t, tt.method, site+tt.path, "")
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d", tt.name, resp.Status, tt.status)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := resp.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
			}
		}
	}
	// What does not run answers as well.
	if err := os.MkdirAll(filepath.Join(apps, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	testserver.Eventually(t, "it has failed", func() bool {
		resp, _ := ask(t, http.MethodGet, site+"empty/", "")
		return resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("X-Content-Type-Options") == "nosniff"
	})
}

// TestCopied: what is copied in is live a moment later, as its page says.
func TestCopied(t *testing.T) {
	p, site, apps := start(t)
	if err := os.CopyFS(filepath.Join(apps, "clock"), os.DirFS("webapps/time")); err != nil {
		t.Fatal(err)
	}
	p.Log.Wait(t, "deployed app=/clock")
	if resp, body := ask(t, http.MethodGet, site+"clock/", ""); resp.StatusCode != 200 || !strings.Contains(body, "at /clock/") {
		t.Errorf("%s %q", resp.Status, body)
	}
	p.Interrupt()
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
