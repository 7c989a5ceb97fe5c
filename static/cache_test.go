package static_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

// TestCacheIsConfirmed: from memory for half a second, then as it is.
func TestCacheIsConfirmed(t *testing.T) {
	dir := folder(t, files{"page": "first"})
	h, k := open(t, static.Config{Roots: []string{dir}})
	tag := get(h, "/page").Header().Get("ETag")

	fill(t, dir, files{"page": "other"}) // of the same size and time: only ctime tells
	if got := get(h, "/page").Body.String(); got != "first" {
		t.Errorf("before half a second: %q, want what is in memory", got)
	}
	k.advance(static.Confirm)
	w := get(h, "/page", "If-None-Match", tag)
	if w.Code != 200 || w.Body.String() != "other" {
		t.Errorf("after half a second: %d %q, want the new content", w.Code, w.Body)
	}

	must(t, os.Remove(filepath.Join(dir, "page")))
	k.advance(static.Confirm)
	if w := get(h, "/page"); w.Code != 404 {
		t.Errorf("removed: status %d, want 404", w.Code)
	}
	if paths, _ := h.Cached(); paths != 0 {
		t.Errorf("removed: %d paths in the cache", paths)
	}
}

// TestEarlierIndexAppears: what answers a path may change without the file that
// answered changing.
func TestEarlierIndexAppears(t *testing.T) {
	first, second := folder(t, files{"sub/": ""}), folder(t, files{"sub/index.htm": "second"})
	h, k := open(t, static.Config{Roots: []string{first, second}})
	expect := func(want string) {
		t.Helper()
		k.advance(static.Confirm)
		if got := get(h, "/sub/").Body.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	expect("second")
	fill(t, second, files{"sub/index.html": "better name"})
	expect("better name")
	fill(t, first, files{"sub/index.htm": "better root"})
	expect("better root")
}

// TestChangeThatTimesDoNotShow rewrites a file in place within one tick of the
// file system's clock, as the fake clock has it: without a look at the content
// the change would never be seen.
func TestChangeThatTimesDoNotShow(t *testing.T) {
	dir := folder(t, files{"page": "first"})
	at := filepath.Join(dir, "page")
	h, k := open(t, static.Config{Roots: []string{dir}})
	k.advance(-time.Hour) // the file was changed just now
	if got := get(h, "/page").Body.String(); got != "first" {
		t.Fatalf("%q", got)
	}
	for i := range 3 {
		want := fmt.Sprintf("%05d", i)
		must(t, os.WriteFile(at, []byte(want), 0o644))
		must(t, os.Chtimes(at, past, past))
		k.advance(static.Confirm)
		if got := get(h, "/page").Body.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestLargeFileBeingWritten has no strong tag: two states may look the same.
func TestLargeFileBeingWritten(t *testing.T) {
	dir := folder(t, files{"large": strings.Repeat("x", static.DefaultCacheFile+1)})
	h, k := open(t, static.Config{Roots: []string{dir}})
	k.advance(-time.Hour) // the file was changed just now
	w := get(h, "/large")
	tag := w.Header().Get("ETag")
	if !strings.HasPrefix(tag, "W/") {
		t.Errorf("changed just now: ETag = %q, want a weak one", tag)
	}
	if w := get(h, "/large", "Range", "bytes=0-0", "If-Range", tag); w.Code != 200 {
		t.Errorf("If-Range with it: status %d, want 200", w.Code)
	}
	k.advance(static.Restless + time.Minute)
	if tag := get(h, "/large").Header().Get("ETag"); strings.HasPrefix(tag, "W/") {
		t.Errorf("at rest: ETag = %q, want a strong one", tag)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const limit = 1 << 20
	content := files{}
	for i := range 400 {
		content[strconv.Itoa(i)] = strings.Repeat("x", 6000)
	}
	h, _ := open(t, static.Config{Roots: []string{folder(t, content)}, CacheBytes: limit})
	for range 2 {
		for i := range 400 {
			if w := get(h, "/"+strconv.Itoa(i)); w.Code != 200 || w.Body.Len() != 6000 {
				t.Fatalf("%d: %d with %d bytes", i, w.Code, w.Body.Len())
			}
			get(h, "/0") // asked for all the time
			if _, bytes := h.Cached(); bytes > limit {
				t.Fatalf("%d bytes in the cache, allowed %d", bytes, limit)
			}
		}
	}
	paths, bytes := h.Cached()
	if paths < 50 || bytes < limit/2 {
		t.Errorf("%d paths with %d bytes in the cache, want it to be used", paths, bytes)
	}
}

func TestWithoutCache(t *testing.T) {
	dir := folder(t, files{"page": "first"})
	h, _ := open(t, static.Config{Roots: []string{dir}, CacheBytes: -1})
	if got := get(h, "/page").Body.String(); got != "first" {
		t.Errorf("%q", got)
	}
	fill(t, dir, files{"page": "second"})
	if got := get(h, "/page").Body.String(); got != "second" {
		t.Errorf("%q, want the change at once", got)
	}
	if paths, _ := h.Cached(); paths != 0 {
		t.Errorf("%d paths in the cache", paths)
	}
}

// TestOneVersionAlways replaces a file and its neighbour by others while many
// ask for it. Body, length and tag of each answer must belong together.
func TestOneVersionAlways(t *testing.T) {
	for name, size := range map[string]int{"small": 2000, "large": static.DefaultCacheFile + 2000} {
		t.Run(name, func(t *testing.T) {
			version := func(n int) string {
				line := fmt.Sprintf("version %d\n", n)
				return strings.Repeat(line, (size+n%7*100)/len(line))
			}
			dir := folder(t, files{"page": version(0)})
			h, k := open(t, static.Config{Roots: []string{dir}})
			var mu sync.Mutex
			bodies := map[string]string{} // by strong tag
			var wg sync.WaitGroup
			stop := make(chan struct{})
			for range 3 {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						w := &whole{ResponseRecorder: httptest.NewRecorder()}
						h.ServeHTTP(w, request("GET", "/page"))
						body, tag := w.Body.String(), w.Header().Get("ETag")
						if w.Code != 200 || w.Header().Get("Content-Length") != strconv.Itoa(len(body)) || !oneVersion(body) {
							t.Errorf("%d, Content-Length %s for %d bytes that begin with %.20q", w.Code, w.Header().Get("Content-Length"), len(body), body)
							return
						}
						mu.Lock()
						if known, ok := bodies[tag]; ok && known != body && !strings.HasPrefix(tag, "W/") {
							t.Errorf("%s stands for %.20q and for %.20q", tag, known, body)
						}
						bodies[tag] = body
						mu.Unlock()
					}
				})
			}
			aside := filepath.Join(dir, "aside")
			for n := range 60 {
				must(t, os.WriteFile(aside, []byte(version(n)), 0o644))
				must(t, os.Rename(aside, filepath.Join(dir, "page")))
				k.advance(static.Confirm)
			}
			close(stop)
			wg.Wait()
		})
	}
}

// oneVersion reports whether body is one line again and again.
func oneVersion(body string) bool {
	line, _, ok := strings.Cut(body, "\n")
	return ok && strings.ReplaceAll(body, line+"\n", "") == ""
}
