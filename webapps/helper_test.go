package webapps_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// tree is the content of files by their names.
type tree map[string]string

// hello is a WSGI application that says its word and what it was told.
func hello(word string) tree {
	return tree{"app.py": fmt.Sprintf(`import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    text = %q + " script=%%s path=%%s cookie=%%s" %% (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ.get("HTTP_COOKIE", "none"))
    if environ["PATH_INFO"] == "/env":
        text = "\n".join("%%s=%%s" %% pair for pair in sorted(os.environ.items()))
    if environ["PATH_INFO"] == "/write":
        with open(os.path.join(os.path.dirname(__file__), "visitors.txt"), "w") as f:
            f.write("ada")
    return [text.encode()]
`, word)}
}

// page is a site of files.
func page(text string) tree { return tree{"index.html": text} }

// write makes files below dir.
func write(t testing.TB, dir string, files tree) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}

// put makes a file appear as a whole.
func put(t testing.TB, path string, data []byte) {
	t.Helper()
	temp := filepath.Join(filepath.Dir(path), ".temp")
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
}

// house is a Deployer with its folder.
type house struct {
	*webapps.Deployer
	t   testing.TB
	dir string
	log *testserver.Log
}

// open deploys what is in dir with a Deployer that does not wait long, until the
// end of the test.
func open(t testing.TB, dir string, change ...func(*webapps.Config)) *house {
	t.Helper()
	h := &house{t: t, dir: dir, log: &testserver.Log{}}
	c := webapps.Config{
		Dir: dir, Quiet: 50 * time.Millisecond, Interval: 20 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	d, err := webapps.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	h.Deployer = d
	t.Cleanup(func() {
		h.close()
		if t.Failed() {
			t.Logf("log:\n%s", h.log)
		}
	})
	testserver.Receive(t, "the first deployments", d.Deployed())
	return h
}

func (h *house) close() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testserver.Patience)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		h.t.Errorf("close: %v", err)
	}
}

// named is the name of an entry.
func named(t testing.TB, base string) webapps.ContextName {
	t.Helper()
	c, err := webapps.ParseBase(base)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// do asks for a path and returns the answer.
func (h *house) do(method, path string, fields ...string) *http.Response {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wants asks for a path once.
func (h *house) wants(path string, status int, has string) {
	h.t.Helper()
	r := h.do(http.MethodGet, path)
	if body := text(h.t, r); r.StatusCode != status || !strings.Contains(body, has) {
		h.t.Errorf("%s: status %d with %q, want %d with %q", path, r.StatusCode, body, status, has)
	}
}

// becomes asks for a path until it answers so.
func (h *house) becomes(path string, status int, has string) {
	h.t.Helper()
	var got string
	defer func() {
		if h.t.Failed() {
			h.t.Logf("%s: last answer was %s", path, got)
		}
	}()
	testserver.Eventually(h.t, fmt.Sprintf("%s answers %d with %q", path, status, has), func() bool {
		r := h.do(http.MethodGet, path)
		got = r.Status + " " + text(h.t, r)
		return r.StatusCode == status && strings.Contains(got, has)
	})
}

// status is that of one application.
func (h *house) status(base string) (webapps.Status, bool) {
	h.t.Helper()
	name := named(h.t, base)
	for _, s := range h.Apps() {
		if s.Name == name {
			return s, true
		}
	}
	return webapps.Status{}, false
}

// awaits waits until an application is as ok wants it.
func (h *house) awaits(base, what string, ok func(webapps.Status) bool) webapps.Status {
	h.t.Helper()
	var s webapps.Status
	testserver.Eventually(h.t, base+" "+what, func() bool {
		var there bool
		s, there = h.status(base)
		return there && ok(s)
	})
	return s
}
