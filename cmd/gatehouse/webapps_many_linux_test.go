package main

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two hundred applications that nobody asks for are there in a moment and cost
// next to nothing: they start with their first request.
func TestManyWebapps(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		folder := filepath.Join(dir, "webapps", fmt.Sprintf("app%d", i))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"gatehouse.toml": "[app]\nstart = \"first-request\"\n",
			"app.py":         "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [environ['SCRIPT_NAME'].encode()]\n",
		} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(dir, os.Environ(), []string{"run", "--user", me.Username, "0"})
	begun := time.Now()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	text, err := s.await(regexp.MustCompile(`ready +http://[^ ]+/`), s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	took, memory := time.Since(begun), anonymous(t, s.cmd.Process.Pid)
	t.Logf("ready after %v with %d MB", took, memory>>20)
	// A tenth of that is usual; the race detector has its own needs.
	most, longest := int64(100<<20), 5*time.Second
	if underRace() {
		most, longest = 10*most, 4*longest
	}
	if took > longest || memory > most {
		t.Errorf("more than %v, or than %d MB", longest, most>>20)
	}
	url := regexp.MustCompile(`http://[^ ]+/`).FindString(text)
	transport := &http.Transport{DisableKeepAlives: true}
	for _, name := range []string{"app0", "app199"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+name+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
}

// anonymous is the memory of a process that is not of files, in bytes.
func anonymous(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("the system does not tell")
	return 0
}

func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
