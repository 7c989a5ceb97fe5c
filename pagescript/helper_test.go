package pagescript_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// TestMain fails if a test leaves goroutines, descriptors or processes behind.
func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files are texts by name below a folder.
type files map[string]string

// long ago is when files of tests were saved: nobody waits for them to settle.
var longAgo = time.Now().Add(-time.Hour)

// put writes a file that was saved an hour ago, in place of what is there.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	save(t, dir, name, text, longAgo)
}

// save writes a file that was saved at that time, in place of what is there. All
// that it lies in belongs to its owner alone, whatever the umask.
func save(t testing.TB, dir, name, text string, at time.Time) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path+".new", []byte(text), 0o644))
	must(t, os.Chmod(path+".new", 0o644))
	must(t, os.Chtimes(path+".new", at, at))
	must(t, os.Rename(path+".new", path))
	for folder := filepath.Dir(path); len(folder) >= len(dir); folder = filepath.Dir(folder) {
		must(t, os.Chmod(folder, 0o755))
	}
}

// folder makes a folder that holds the files.
func folder(t testing.TB, f files) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		put(t, dir, name, text)
	}
	return dir
}

// site is a handler of pages and what it logs.
type site struct {
	*pagescript.Handler
	dir string
	log *testserver.Log
}

// open opens the folder for the length of the test. Its files say that they are.
func open(t testing.TB, dir string, c pagescript.Config) *site {
	t.Helper()
	s := &site{dir: dir, log: &testserver.Log{}}
	c.Scripts.Dir, c.Scripts.Log = dir, slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.Files == nil {
		c.Files = saying("a file")
	}
	c.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such page", http.StatusNotFound)
	})
	h, err := pagescript.Open(c)
	must(t, err)
	s.Handler = h
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

// saying answers with the text.
func saying(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) })
}

// serve serves the site in the mode until the test ends.
func (s *site) serve(t testing.TB, m testserver.Mode) *testserver.Server {
	t.Helper()
	return testserver.Start(t, m, s.ServeHTTP)
}

// modes are those in which the handler is tested: the engine, and stock net/http.
var modes = []testserver.Mode{testserver.H1, testserver.NetHTTP}

// says is a page with an application that answers with the Python expression.
func says(expression string) string {
	return fmt.Sprintf(`def application(environ, start_response):
    body = str(%s).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
`, expression)
}

// quick has scripts and applications be ended soon, and no more of them than one.
func quick() pagescript.Config {
	return pagescript.Config{Scripts: cgi.Config{KillGrace: -1}}
}
