package cgi_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestMain fails if a test leaves goroutines, descriptors or processes behind.
func TestMain(m *testing.M) {
	os.Exit(testserver.Main(m, map[string]func() error{"server": beServer}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files are texts by name below a folder. A name that ends in a slash is a
// folder's.
type files map[string]string

// folder makes a folder that holds the files, all of them executable.
func folder(t testing.TB, f files) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755)) // for scripts that run as somebody else
	for name, text := range f {
		put(t, dir, name, text, 0o755)
	}
	return dir
}

// put writes a file. The mode is that of the file, whatever the umask.
func put(t testing.TB, dir, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	if strings.HasSuffix(name, "/") {
		must(t, os.MkdirAll(path, 0o755))
		return
	}
	must(t, os.WriteFile(path, []byte(text), mode))
	must(t, os.Chmod(path, mode))
	for at := filepath.Dir(path); len(at) >= len(dir); at = filepath.Dir(at) {
		must(t, os.Chmod(at, 0o755))
	}
}

// A way is one to run scripts.
type way struct{ warm bool }

// inEachWay runs f cold and warm.
func inEachWay(t *testing.T, f func(t *testing.T, w way)) {
	t.Run("cold", func(t *testing.T) { f(t, way{}) })
	t.Run("warm", func(t *testing.T) { f(t, way{warm: true}) })
}

// age makes a file look as if it had not been changed for long, so that the warm
// runner keeps what it knows of it.
func age(t testing.TB, path string) {
	t.Helper()
	long := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, long, long))
}

// folder is folder with scripts that are run in that way: those of the shell are
// brought by Python, which becomes the shell.
func (w way) folder(t testing.TB, f files) string {
	t.Helper()
	if w.warm {
		f = maps.Clone(f)
		for name, text := range f {
			if text, ok := strings.CutPrefix(text, "#!/bin/sh\n"); ok {
				f[name] = "#!/usr/bin/env python3\nimport os, sys\nos.execv('/bin/sh', ['/bin/sh', '-c', " + strconv.Quote(text) + ", *sys.argv])\n"
			}
		}
	}
	return folder(t, f)
}

// open is open for that way. It sees to it that nothing runs cold for want of
// something.
func (w way) open(t testing.TB, dir string, c cgi.Config) *site {
	t.Helper()
	c.Warm = w.warm
	s := open(t, dir, c)
	t.Cleanup(func() {
		if log := s.log.String(); strings.Contains(log, "run cold") || strings.Contains(log, "run without") {
			t.Errorf("a script has not been run warm: %s", log)
		}
	})
	return s
}

// site is a handler and what it logs.
type site struct {
	*cgi.Handler
	dir string
	log *testserver.Log
}

// open opens the folder for the length of the test.
func open(t testing.TB, dir string, c cgi.Config) *site {
	t.Helper()
	s := &site{dir: dir, log: &testserver.Log{}}
	c.Dir, c.Log = dir, slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.Prefix == "" {
		c.Prefix = "/cgi-bin/"
	}
	h, err := cgi.Open(c)
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

// serve serves the site in the mode until the test ends.
func (s *site) serve(t testing.TB, m testserver.Mode) *testserver.Server {
	t.Helper()
	return testserver.Start(t, m, s.ServeHTTP)
}

// modes are those in which a CGI handler is tested: the engine, and stock
// net/http.
var modes = []testserver.Mode{testserver.H1, testserver.NetHTTP}

// ask writes an HTTP/1.1 request.
func ask(method, target, body string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: example.org:81\r\n", method, target)
	for _, field := range fields {
		b.WriteString(field + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

func get(target string, fields ...string) string { return ask("GET", target, "", fields...) }
