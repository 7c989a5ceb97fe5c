package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// siteFile is a configuration of sites whose every part differs from version to
// version: routes, files, fields, an application and what bounds connections. With
// a folder of applications, so do its hosts and what is said of an application.
func siteFile(version int, folder bool) string {
	text := ""
	if folder {
		text = fmt.Sprintf(`
[webapps]
hosts = ["apps.test", "apps%[1]d.test"]
[apps.wiki]
env.MODE = "wiki %[1]d"
`, version)
	}
	return fmt.Sprintf(`listen = ["127.0.0.1:0", "unix:socket%[1]d"]
server_name = "version-%[1]d"
[apps.shop]
workers = 1
env.MODE = "app %[1]d"
[limits]
max_fields = %[2]d
[log]
access_log = "access%[1]d.log"
[[sites]]
root = "public%[1]d"
headers = { X-Version = "%[1]d" }
[[sites.routes]]
path = "/answer"
respond = "answer %[1]d"
[[sites.routes]]
path = "/only%[1]d"
respond = "x"
[[sites.routes]]
path = "/shop/"
app = "shop"
`, version, 50+version) + text
}

// Clients ask without a pause, on connections that they keep, while everything in
// the file changes again and again, now and then with a mistake in it. Every one
// of them is answered: nothing here is asked twice.
func TestSitesChangeUnderLoad(t *testing.T) {
	for name, folder := range map[string]bool{"sites": false, "sites and a folder of applications": true} {
		t.Run(name, func(t *testing.T) { changeUnderLoad(t, folder) })
	}
}

func changeUnderLoad(t *testing.T, folder bool) {
	dir := t.TempDir()
	const versions = 5
	const app = `import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    environ["wsgi.input"].read()
    return [os.environ["MODE"].encode()]
`
	files := map[string]string{"gatehouse.toml": siteFile(0, folder), "shop/wsgi.py": app}
	loads := []string{"/answer", "/file.txt", "/shop/x", "/answer"}
	args := []string{"run"}
	if folder {
		files["webapps/wiki/wsgi.py"] = app
		loads = append(loads, "http://apps.test/wiki/x")
		me, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--user", me.Username) // root says so for a folder of its own
	}
	for v := range versions + 1 {
		files[fmt.Sprintf("public%d/file.txt", v)] = fmt.Sprintf("file %d", v)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(dir, os.Environ(), args)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	address := regexp.MustCompile(`http://[^ ]+/`)
	text, err := s.await(address, s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	url := strings.TrimSuffix(address.FindString(text), "/")

	var answers atomic.Int64
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, path := range loads {
		method := http.MethodPost // which no client repeats by itself
		if path == "/file.txt" {
			method = http.MethodGet
		}
		wg.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				status, _, err := tell(t, transport, method, url, path)
				if err != nil || status != http.StatusOK {
					t.Errorf("%s %s = %d, %v, want 200", method, path, status, err)
					return
				}
				answers.Add(1)
			}
		})
	}

	configure := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "gatehouse.toml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	await := func(pattern string, times int) {
		t.Helper()
		if text, err := s.await(regexp.MustCompile(fmt.Sprintf(`(?s)(%s.*){%d}`, pattern, times)), s.errOut); err != nil {
			t.Fatalf("%v; it wrote:\n%s", err, text)
		}
	}
	fresh := &http.Transport{DisableKeepAlives: true}
	check := func(version int) {
		t.Helper()
		wants := map[string]string{
			"/answer": "answer %d", "/file.txt": "file %d", "/shop/": "app %d", fmt.Sprintf("/only%d", version): "x",
		}
		if folder {
			wants["http://apps.test/wiki/"], wants[fmt.Sprintf("http://apps%d.test/wiki/", version)] = "wiki %d", "wiki %d"
			wants[fmt.Sprintf("http://apps%d.test/only%d", version+1, version)] = "x" // a host like any other
		}
		for path, want := range wants {
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, version)
			}
			_, body, err := tell(t, fresh, http.MethodGet, url, path)
			if err != nil || body != want {
				t.Errorf("version %d: GET %s = %q, %v, want %q", version, path, body, err, want)
			}
		}
	}
	kept := &http.Transport{}
	defer kept.CloseIdleConnections()
	for version := 1; version <= versions; version++ {
		if _, _, err := asked(t, kept, http.MethodGet, url, "/file.txt"); err != nil {
			t.Fatal(err)
		}
		configure(siteFile(version, folder))
		await(`reloaded +in`, version)
		check(version)
		// A connection from before is answered once more, and then makes way for the
		// new limits.
		if closes, body, err := asked(t, kept, http.MethodGet, url, "/file.txt"); err != nil || !closes || body != fmt.Sprintf("file %d", version) {
			t.Errorf("version %d on an old connection: %q, %v, last answer: %v; want the new file in its last answer", version, body, err, closes)
		}
		configure(strings.Replace(siteFile(version+1, folder), "respond", "respnod", 1))
		await(`did you mean "respond"`, version)
		check(version)
	}
	close(done)
	wg.Wait()
	if answers.Load() == 0 {
		t.Error("nobody asked anything")
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != exitOK {
		t.Errorf("the end: status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
}

// tell makes one request to the server at url, with a body if it is a POST. path is
// a path, or a URL for another host name.
func tell(t *testing.T, transport *http.Transport, method, url, path string) (status int, body string, err error) {
	resp, body, err := exchange(t, transport, method, url, path)
	if err != nil {
		return 0, "", err
	}
	return resp.StatusCode, body, nil
}

// asked is tell for whether the connection is closed after the answer.
func asked(t *testing.T, transport *http.Transport, method, url, path string) (closes bool, body string, err error) {
	resp, body, err := exchange(t, transport, method, url, path)
	return err == nil && resp.Close, body, err
}

func exchange(t *testing.T, transport *http.Transport, method, url, path string) (resp *http.Response, body string, err error) {
	var form io.Reader
	if method == http.MethodPost {
		form = strings.NewReader("a=b")
	}
	host := ""
	if name, ok := strings.CutPrefix(path, "http://"); ok {
		host, path, _ = strings.Cut(name, "/")
		path = "/" + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, form)
	if err != nil {
		return nil, "", err
	}
	r.Host = host // "": that of the URL
	if resp, err = transport.RoundTrip(r); err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}
