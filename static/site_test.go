package static_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

// files are the contents of a folder by slash path; a name that ends in a slash
// is an empty folder.
type files map[string]string

// folder makes a folder that holds files, a minute old, so that they count as at
// rest.
func folder(t testing.TB, content files) string {
	t.Helper()
	dir := t.TempDir()
	fill(t, dir, content)
	return dir
}

func fill(t testing.TB, dir string, content files) {
	t.Helper()
	for name, body := range content {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(body), 0o644))
		must(t, os.Chtimes(path, past, past))
	}
}

// past is the time of every file that a test does not give another.
var past = time.Date(2026, 3, 14, 15, 9, 26, 535, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens c, for the time of the test, on a clock that is far enough ahead for
// files that were made just now to be at rest.
func open(t testing.TB, c static.Config) (*static.Handler, *clock) {
	t.Helper()
	h, err := static.Open(c)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	k := &clock{}
	k.advance(time.Hour)
	h.SetClock(k.now)
	return h, k
}

// clock is the time as it is and what a test has added. For concurrent use.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// request is GET of path, which is taken decoded as it is, with fields in turns
// of name and value.
func request(method, path string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.URL = &url.URL{Path: path}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// get answers GET of path by h.
func get(h http.Handler, path string, fields ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(http.MethodGet, path, fields...))
	return w
}

// whole is a writer that takes finished responses, as the engine's does.
type whole struct {
	*httptest.ResponseRecorder
	method   string
	finished int // how many responses came that way
}

func (w *whole) WriteFinished(status int, head, body []byte) (int, error) {
	w.finished++
	for line := range strings.SplitSeq(strings.TrimSuffix(string(head), "\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Add(name, value)
	}
	w.WriteHeader(status)
	if w.method == http.MethodHead {
		return 0, nil
	}
	return w.Write(body)
}

// both answers r over a plain writer and over one that takes finished responses,
// and fails if they differ.
func both(t *testing.T, h http.Handler, r *http.Request) (*httptest.ResponseRecorder, *whole) {
	t.Helper()
	plain := httptest.NewRecorder()
	h.ServeHTTP(plain, r)
	fast := &whole{ResponseRecorder: httptest.NewRecorder(), method: r.Method}
	h.ServeHTTP(fast, r)
	if plain.Code != fast.Code || unbounded(plain) != unbounded(fast.ResponseRecorder) || !maps.EqualFunc(plain.Header(), fast.Header(), sameLines) {
		t.Errorf("plain and finished answers differ:\n%d %v %q\n%d %v %q", plain.Code, plain.Header(), plain.Body, fast.Code, fast.Header(), fast.Body)
	}
	return plain, fast
}

// unbounded is the body of w without the boundary of its parts.
func unbounded(w *httptest.ResponseRecorder) string {
	body := w.Body.String()
	if _, boundary, ok := strings.Cut(w.Header().Get("Content-Type"), "boundary="); ok {
		body = strings.ReplaceAll(body, boundary, "BOUNDARY")
	}
	return body
}

// sameLines compares what is not drawn by lot anew for each response.
func sameLines(a, b []string) bool {
	x, y := strings.Join(a, ","), strings.Join(b, ",")
	return x == y || strings.HasPrefix(x, "multipart/byteranges") && strings.HasPrefix(y, "multipart/byteranges")
}

// fetch is get over a socket, through net/http's own server.
func fetch(t *testing.T, server *httptest.Server, method, path string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	must(t, err)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	response, err := server.Client().Transport.RoundTrip(r)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(body)
}

// setTime gives the file called name in dir the time of modification at.
func setTime(t testing.TB, dir, name string, at time.Time) {
	t.Helper()
	must(t, os.Chtimes(filepath.Join(dir, name), at, at))
}
