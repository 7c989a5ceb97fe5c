package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// A server that root started gives its rights away before it opens a file. One
// that nobody privileged started says that it cannot.
func TestUser(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"public.txt": 0o644, "private.txt": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("of root\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(dir, os.Environ(), []string{"--listen", "127.0.0.1:0", "--user", "nobody"})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	if os.Geteuid() != 0 {
		status, err := s.end()
		if err != nil || status != 1 || !regexp.MustCompile(`only root can become another user`).MatchString(s.errOut.String()) {
			t.Errorf("exit status %d, %v; want 1 and the reason; it wrote:\n%s", status, err, s.errOut)
		}
		return
	}
	address := regexp.MustCompile(`http://[^ ]+/`)
	text, err := s.await(address, s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	for name, want := range map[string]bool{"public.txt": true, "private.txt": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.FindString(text)+name, nil)
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
		if served := string(body) == "of root\n"; served != want {
			t.Errorf("%s: status %d, served %v, want %v", name, resp.StatusCode, served, want)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
}
