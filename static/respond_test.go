package static_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestFields(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{
		"small.css": "p{}", "large.css": strings.Repeat("/*x*/\n", static.DefaultCacheFile/6+1),
	})}})
	for _, path := range []string{"/small.css", "/large.css"} {
		w, fast := both(t, h, request("GET", path))
		for name, want := range map[string]string{
			"Last-Modified":          past.Format(http.TimeFormat),
			"Accept-Ranges":          "bytes",
			"Content-Length":         strconv.Itoa(w.Body.Len()),
			"X-Content-Type-Options": "nosniff",
			"Vary":                   "",
			"Cache-Control":          "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
		want := 0
		if path == "/small.css" {
			want = 1
		}
		if fast.finished != want {
			t.Errorf("%s: %d finished responses, want %d", path, fast.finished, want)
		}
	}
}

// TestRefusedFinishedResponse: a writer may have the method and not be able to.
func TestRefusedFinishedResponse(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"page": "text"})}})
	w := &refusing{httptest.NewRecorder()}
	h.ServeHTTP(w, request("GET", "/page"))
	if w.Code != 200 || w.Body.String() != "text" || w.Header().Get("Content-Length") != "4" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}

// refusing is what internal/recorder is above a writer of net/http.
type refusing struct{ *httptest.ResponseRecorder }

func (refusing) WriteFinished(int, []byte, []byte) (int, error) { return 0, http.ErrNotSupported }

// TestFileIsReadFrom: the writer gets the file itself, which it can send without
// copying.
func TestFileIsReadFrom(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"large": strings.Repeat("x", static.DefaultCacheFile+1)})}})
	w := &readingFrom{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, request("GET", "/large", "Range", "bytes=10-29"))
	if w.Code != 206 || w.Body.Len() != 20 {
		t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
	}
	if _, ok := w.source.(*os.File); !ok {
		t.Errorf("the source is a %T, want the file", w.source)
	}
}

type readingFrom struct {
	*httptest.ResponseRecorder
	source io.Reader
}

func (w *readingFrom) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		w.source = limited.R
	}
	return io.Copy(w.Body, r)
}

// TestFileChangesWhileSent has the file cut short or grown after the head has
// promised its length, through a real server: the client must see an error in the
// one case and exactly that length in the other.
func TestFileChangesWhileSent(t *testing.T) {
	const size = static.DefaultCacheFile + 1
	tests := []struct {
		name    string
		newSize int64
		whole   bool
	}{
		{"cut short", 1000, false},
		{"emptied", 0, false},
		{"grown", size * 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, files{"large": strings.Repeat("x", size)})
			h, _ := open(t, static.Config{Roots: []string{dir}})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(&changing{w, func() {
					if err := os.Truncate(filepath.Join(dir, "large"), tt.newSize); err != nil {
						t.Error(err)
					}
				}}, r)
			}))
			t.Cleanup(server.Close)
			var n int64
			response, err := server.Client().Get(server.URL + "/large")
			if err == nil {
				n, err = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			if tt.whole && (err != nil || n != size) {
				t.Errorf("%d bytes, %v; want %d", n, err, size)
			}
			if !tt.whole && err == nil {
				t.Errorf("%d bytes and no error: the client takes a part for the whole", n)
			}
		})
	}
}

// changing does something between head and body.
type changing struct {
	http.ResponseWriter
	change func()
}

func (c *changing) WriteHeader(status int) {
	c.ResponseWriter.WriteHeader(status)
	c.change()
}

// TestLargeFileIsExchanged: what is known of a large file is half a second old,
// but what is sent is the file that is there, under its own head.
func TestLargeFileIsExchanged(t *testing.T) {
	const size = static.DefaultCacheFile + 1
	dir := folder(t, files{"large": strings.Repeat("a", size)})
	h, _ := open(t, static.Config{Roots: []string{dir}})
	tag := get(h, "/large").Header().Get("ETag")
	for _, content := range []string{strings.Repeat("b", size+10), "small now", ""} {
		aside := filepath.Join(dir, "aside")
		fill(t, dir, files{"aside": content})
		must(t, os.Rename(aside, filepath.Join(dir, "large")))
		w := get(h, "/large")
		if w.Code != 200 || w.Body.String() != content || w.Header().Get("Content-Length") != strconv.Itoa(len(content)) {
			t.Errorf("%d, %d bytes, Content-Length %s; want %d", w.Code, w.Body.Len(), w.Header().Get("Content-Length"), len(content))
		}
		if got := w.Header().Get("ETag"); got == tag {
			t.Errorf("the tag is still %s", got)
		}
		if w := get(h, "/large", "Range", "bytes=0-", "If-Range", tag); w.Code != 200 {
			t.Errorf("If-Range with the old tag: status %d, want 200", w.Code)
		}
	}
	must(t, os.Remove(filepath.Join(dir, "large")))
	if w := get(h, "/large"); w.Code != 404 {
		t.Errorf("removed: status %d, want 404", w.Code)
	}
}

// TestOverSockets is one round through net/http's own server, sendfile included.
func TestOverSockets(t *testing.T) {
	large := strings.Repeat("0123456789", static.DefaultCacheFile/10+1)
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"small": "text", "large": large})}})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for path, want := range map[string]string{"/small": "text", "/large": large} {
		response, body := fetch(t, server, "GET", path)
		if response.StatusCode != 200 || body != want || response.ContentLength != int64(len(want)) {
			t.Errorf("%s: %d with %d bytes", path, response.StatusCode, len(body))
		}
		response, body = fetch(t, server, "GET", path, "Range", "bytes=1-2,-1")
		if response.StatusCode != 206 || response.ContentLength != int64(len(body)) {
			t.Errorf("%s: ranges: %d with %d bytes", path, response.StatusCode, len(body))
		}
		response, body = fetch(t, server, "HEAD", path)
		if response.StatusCode != 200 || body != "" || response.ContentLength != int64(len(want)) {
			t.Errorf("%s: HEAD: %d, length %d", path, response.StatusCode, response.ContentLength)
		}
	}
}
