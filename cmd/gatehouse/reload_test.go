package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// What is saved is served in under a second, as the start line promises. On a
// machine that runs all tests at once not every save can keep that: the best of
// several must.
func TestReloadInUnderASecond(t *testing.T) {
	dir := t.TempDir()
	saveVersion(t, dir, 0)
	s := newServer(dir, os.Environ(), []string{"run", "--reload", "--listen", "127.0.0.1:0", "--access-log", "off"})
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
	best := time.Hour
	for version := 1; version <= 6; version++ {
		begun := time.Now()
		saveVersion(t, dir, version)
		reloaded := regexp.MustCompile(fmt.Sprintf(`(?s)(reloaded .*){%d}`, version))
		if text, err := s.await(reloaded, s.errOut); err != nil {
			t.Fatalf("after save %d: %v; it wrote:\n%s", version, err, text)
		}
		_, got := testserver.Do(t, testserver.NewRequest(t, http.MethodGet, url, ""))
		if got != fmt.Sprintf("version %d", version) {
			t.Fatalf("after save %d the page says %q", version, got)
		}
		took := time.Since(begun)
		t.Logf("save %d was served after %v", version, took.Round(time.Millisecond))
		best = min(best, took)
	}
	if best >= time.Second {
		t.Errorf("the quickest save was served after %v, want under a second", best)
	}
}

// saveVersion saves an application that tells its version: in place, and every
// other time by renaming a new file over the old one, as editors do.
func saveVersion(t *testing.T, dir string, version int) {
	t.Helper()
	text := fmt.Sprintf(`def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"version %d"]
`, version)
	file := filepath.Join(dir, "wsgi.py")
	if version%2 == 0 {
		file += ".new"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, strings.TrimSuffix(file, ".new")); err != nil {
		t.Fatal(err)
	}
}
