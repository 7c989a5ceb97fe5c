package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
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

// Scripts run as the owner of the folder that is served where root started the
// server, with a warning if that is root; else as whoever started it.
func TestScriptsUser(t *testing.T) {
	for _, tt := range []struct {
		name  string
		owner int
		warns bool
	}{{"nobody", 65534, false}, {"root", 0, true}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			bin := filepath.Join(dir, "cgi-bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(bin, "id.sh"), []byte("echo Content-Type: text/plain\necho\nid -u\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			want, warns := os.Geteuid(), false
			if want == 0 {
				want, warns = tt.owner, tt.warns
				if err := os.Chown(dir, tt.owner, -1); err != nil {
					t.Fatal(err)
				}
			}
			s := newServer(dir, os.Environ(), []string{"--listen", "127.0.0.1:0", "--cgi"})
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
			defer s.kill()
			address := regexp.MustCompile(`http://[^ ]+/`)
			text, err := s.await(address, s.errOut)
			if err != nil {
				t.Fatalf("%v; it wrote:\n%s", err, text)
			}
			if warned := strings.Contains(text, "scripts run as root, because root owns the folder; "); warned != warns {
				t.Errorf("warned: %v, want %v; it wrote:\n%s", warned, warns, text)
			}
			resp, body := testserver.Do(t, testserver.NewRequest(t, http.MethodGet, address.FindString(text)+"cgi-bin/id.sh", ""))
			if body != strconv.Itoa(want)+"\n" {
				t.Errorf("%d %q; want the user %d", resp.StatusCode, body, want)
			}
		})
	}
}

// What acts with root's rights is not taken from a file that others can write,
// unless the operator names it.
func TestConfigurationOfOthers(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"wsgi.py":        "def application(environ, start_response): pass\n",
		"gatehouse.toml": "listen = ['127.0.0.1:0']\nuser = 'root'\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(file, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		args []string
		want string // if root starts it; nobody else can become another user
	}{
		{"found", []string{"run"}, `gatehouse\.toml:2:1: user: started by root, it is not taken from a file that others can write or replace; `},
		{"named", []string{"check", "--config", "gatehouse.toml"}, `^ok +gatehouse\.toml; `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(dir, os.Environ(), tt.args)
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
			defer s.kill()
			if _, err := s.end(); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if os.Geteuid() != 0 {
				want = "only root can become another user"
			}
			if text := s.out.String() + s.errOut.String(); !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("it wrote:\n%s\nwant %s", text, want)
			}
		})
	}
}
