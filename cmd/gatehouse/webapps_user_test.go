package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Started by root, applications run as the owner of their folder, never as root
// unless that is named, and nobody's whom the machine does not know. What there is
// for several users, TestUsers tests.
func TestWebappsUser(t *testing.T) {
	const app = `import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("uid %d home %s" % (os.getuid(), os.environ["HOME"])).encode()]
`
	const nobody = 65534
	dir := t.TempDir()
	apps := filepath.Join(dir, "webapps")
	start := func(args ...string) *server {
		s := newServer(dir, append(os.Environ(), "VIRTUAL_ENV="), append([]string{"run"}, args...))
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.kill)
		return s
	}
	if os.Geteuid() != 0 {
		if err := os.Mkdir(apps, 0o755); err != nil {
			t.Fatal(err)
		}
		s := start("--user", "nobody", "0")
		if status, err := s.end(); err != nil || status != 1 || !strings.Contains(s.errOut.String(), "only root can become another user") {
			t.Errorf("exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
		}
		return
	}
	for name, owner := range map[string]int{"mine": nobody, "theirs": 4711, "roots": 0} {
		folder := filepath.Join(apps, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "app.py"), []byte(app), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(folder, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	for d := apps; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := start("0")
	if status, err := s.end(); err != nil || status != 1 || !strings.Contains(s.errOut.String(), "as root, who owns the folder") || !strings.Contains(s.errOut.String(), "--user NAME") {
		t.Errorf("a folder of root's: exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
	if err := os.Chown(apps, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	// What somebody else has written does not say what they run.
	config := filepath.Join(dir, "gatehouse.toml")
	if err := os.WriteFile(config, []byte("python = \"/usr/bin/python3\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(config, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	s = start("0")
	if status, err := s.end(); err != nil || status != 1 || !strings.Contains(s.errOut.String(), "gatehouse.toml belongs to another user (4711) than the applications in the folder run as (65534)") {
		t.Errorf("another's configuration: exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	s = start("--python", "/usr/bin/python3", "0")
	text, err := s.await(regexp.MustCompile(`ready +http://[^ ]+/`), s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	url := regexp.MustCompile(`http://[^ ]+/`).FindString(text)
	transport := &http.Transport{DisableKeepAlives: true}
	for name, want := range map[string]string{"mine": "uid 65534 home /nonexistent", "theirs": "503", "roots": "503"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+name+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Status + " " + string(body); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, says := range []string{"app=/theirs error=\"it belongs to", "user (4711)", "app=/roots error=\"it belongs to root", "chown -R"} {
		if got := s.errOut.String(); !strings.Contains(got, says) {
			t.Errorf("it does not say %q:\n%s", says, got)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
}
