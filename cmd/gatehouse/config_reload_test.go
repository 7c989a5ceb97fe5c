package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Clients ask without a pause while the configuration changes again and again:
// every one of them is answered, and each change takes effect.
func TestConfigurationChangesUnderLoad(t *testing.T) {
	dir := t.TempDir()
	const app = `import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [os.environ["MODE"].encode()]
`
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	configure := func(mode int) {
		t.Helper()
		write("gatehouse.toml", fmt.Sprintf("[app]\nworkers = 2\nenv.MODE = 'mode %d'\n[log]\naccess_log = 'off'\n", mode))
	}
	write("wsgi.py", app)
	configure(0)
	s := newServer(dir, os.Environ(), []string{"run", "--listen", "127.0.0.1:0"})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	address := regexp.MustCompile(`http://[^ ]+/`)
	text, err := s.await(address, s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	url := address.FindString(text)

	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				body, err := ask(t, transport, url)
				if err != nil || !strings.HasPrefix(body, "mode ") {
					t.Errorf("answer %q, %v", body, err)
					return
				}
			}
		})
	}
	const changes = 8
	for i := range changes {
		configure(i + 1)
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		reloaded := regexp.MustCompile(fmt.Sprintf(`(?s)(reloaded .*){%d}`, i+1))
		if text, err := s.await(reloaded, s.errOut); err != nil {
			t.Fatalf("%v; it wrote:\n%s", err, text)
		}
	}
	close(done)
	wg.Wait()
	transport := &http.Transport{DisableKeepAlives: true}
	if body, err := ask(t, transport, url); err != nil || body != fmt.Sprintf("mode %d", changes) {
		t.Errorf("after %d changes: %q, %v", changes, body, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
}

// ask gets the page at url.
func ask(t *testing.T, transport *http.Transport, url string) (string, error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
