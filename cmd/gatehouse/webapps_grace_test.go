package main

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// What runs beside an application has its time to end also when a request has used
// up all of its own.
func TestWebappsGrace(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "webapps", "blog")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	beside := fmt.Sprintf(`trap 'echo told; read word <%s; echo $word >%s; exit' TERM; echo begun; while :; do sleep 1000 & wait; done`, fifo, filepath.Join(dir, "words"))
	for path, text := range map[string]string{
		filepath.Join(dir, "gatehouse.toml"):    "drain = \"1ms\"\n",
		filepath.Join(folder, "gatehouse.toml"): fmt.Sprintf("[processes]\nslow = %q\n", beside),
		filepath.Join(folder, "app.py"):         "import sys, time\n\ndef app(environ, start_response):\n    print('asked', file=sys.stderr, flush=True)\n    time.sleep(1000)\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(dir, os.Environ(), []string{"run", "--user", me.Username, "0"})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	wants := func(pattern string) string {
		t.Helper()
		text, err := s.await(regexp.MustCompile(pattern), s.errOut)
		if err != nil {
			t.Fatalf("%v; it wrote:\n%s", err, text)
		}
		return text
	}
	url := regexp.MustCompile(`http://[^ ]+/`).FindString(wants(`ready +http://[^ ]+/`))
	wants(`\bbegun\b`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"blog/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		transport := &http.Transport{DisableKeepAlives: true}
		if resp, err := transport.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
	}()
	wants(`\basked\b`)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wants(`\btold\b`)
	<-answered
	f, err := os.OpenFile(fifo, os.O_RDWR, 0) // waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("goodbye\n"); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "words")); err != nil || string(text) != "goodbye\n" {
		t.Errorf("it says %q, %v; the server wrote:\n%s", text, err, s.errOut)
	}
}
