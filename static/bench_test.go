package static_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

// sink takes finished responses and forgets them.
type sink struct {
	head   http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.head }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) WriteFinished(status int, _, body []byte) (int, error) {
	s.status = status
	return len(body), nil
}
func (s *sink) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

// browser is what a browser sends beside the path.
func browser(path string, more ...string) *http.Request {
	return request("GET", path, append([]string{
		"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Accept-Encoding", "gzip, deflate, br, zstd",
		"Accept-Language", "en-GB,en;q=0.5",
		"Sec-Fetch-Dest", "document",
		"Sec-Fetch-Mode", "navigate",
		"Sec-Fetch-Site", "none",
		"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	}, more...)...)
}

// hot are the requests that a busy site is made of: none may need more than one
// allocation.
func hot(t testing.TB, h http.Handler) map[string]*http.Request {
	requests := map[string]*http.Request{
		"file":        browser("/page.html"),
		"encoded":     browser("/app.js"),
		"notmodified": browser("/page.html", "If-None-Match", get(h, "/page.html").Header().Get("ETag")),
	}
	for _, r := range requests {
		h.ServeHTTP(&sink{head: http.Header{}}, r)
	}
	return requests
}

func benchSite(t testing.TB) string {
	return folder(t, files{
		"page.html": strings.Repeat("p", 1024),
		"app.js":    strings.Repeat("j", 4096), "app.js.br": "b", "app.js.gz": "gz",
		"one/two/three/four/five/six/deep.css": "p{}",
		"large.bin":                            strings.Repeat("l", 10<<20),
	})
}

func TestHotRequestsAllocateLittle(t *testing.T) {
	h, err := static.Open(static.Config{Roots: []string{benchSite(t)}})
	must(t, err)
	defer h.Close()
	w := &sink{head: http.Header{"X-Request-Id": {"0123456789abcdef"}}}
	for name, r := range hot(t, h) {
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 1 {
			t.Errorf("%s: %v allocations, want at most 1", name, n)
		}
	}
}

func BenchmarkHot(b *testing.B) {
	h, err := static.Open(static.Config{Roots: []string{benchSite(b)}})
	must(b, err)
	defer h.Close()
	for name, r := range hot(b, h) {
		b.Run(name, func(b *testing.B) {
			w := &sink{head: http.Header{"X-Request-Id": {"0123456789abcdef"}}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
			if w.status != 200 && w.status != 304 {
				b.Errorf("status %d", w.status)
			}
		})
	}
}

// BenchmarkCold is what it costs to look at the disk: a file that has to be
// confirmed or read, one that is too large to keep, and one that is not there.
func BenchmarkCold(b *testing.B) {
	dir := benchSite(b)
	cached, k := open(b, static.Config{Roots: []string{dir}})
	uncached, _ := open(b, static.Config{Roots: []string{dir}, CacheBytes: -1})
	for _, bm := range []struct {
		name, path string
		h          http.Handler
		stale      bool
	}{
		{"confirm", "/page.html", cached, true},
		{"confirm-six-deep", "/one/two/three/four/five/six/deep.css", cached, true},
		{"read", "/page.html", uncached, false},
		{"large-head", "/large.bin", cached, false},
		{"missing", "/nothing", cached, false},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := browser(bm.path, "Range", "bytes=0-0")
			b.ReportAllocs()
			for b.Loop() {
				if bm.stale {
					k.advance(static.Confirm)
				}
				bm.h.ServeHTTP(&sink{head: http.Header{}}, r)
			}
		})
	}
}

func BenchmarkListing(b *testing.B) {
	content := files{}
	for name := range strings.FieldsSeq("a b c d e f g h i j k l m n o p q r s t u v w x y z") {
		content[name] = ""
	}
	h, _ := open(b, static.Config{Roots: []string{folder(b, content)}, Listing: true})
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), browser("/"))
	}
}
