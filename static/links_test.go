package static_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
	"github.com/seed-07905ac1/gatehouse/static"
)

func TestLinks(t *testing.T) {
	outside := folder(t, files{"secret.txt": "secret"})
	dir := folder(t, files{
		"page.txt":       "text",
		"page.txt.gz":    "compressed",
		"real/index.htm": "index",
		"real/deep/x":    "deep",
		".git/config":    "secret",
		".env":           "secret",
		"own/":           "",
	})
	for link, target := range map[string]string{
		"file":           "page.txt",
		"dir":            "real",
		"chain":          "dir",
		"own/up":         "../page.txt",
		"own/index.html": "../page.txt",
		"loop":           "loop",
		"env":            ".env",
		"git":            ".git",
		"out":            filepath.Join(outside, "secret.txt"),
		"outdir":         outside,
		"updir":          "../" + filepath.Base(outside),
		"absolute":       filepath.Join(dir, "page.txt"),
		"dangling":       "nothing",
		"self":           ".",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	tests := []struct {
		path      string
		refusing  int // by default
		following int // with FollowSymlinks
		body      string
	}{
		{"/file", 404, 200, "text"},
		{"/dir/", 404, 200, "index"},
		{"/dir", 404, 301, ""},
		{"/dir/deep/x", 404, 200, "deep"},
		{"/chain/deep/x", 404, 200, "deep"},
		{"/own/up", 404, 200, "text"},
		{"/own/", 404, 200, "text"},
		{"/self/page.txt", 404, 200, "text"},
		{"/self/self/real/deep/x", 404, 200, "deep"},
		{"/loop", 404, 404, ""},
		{"/env", 404, 404, ""},
		{"/git/config", 404, 404, ""},
		{"/git", 404, 404, ""},
		{"/self/git/config", 404, 404, ""},
		{"/out", 404, 404, ""},
		{"/outdir/secret.txt", 404, 404, ""},
		{"/updir/secret.txt", 404, 404, ""},
		{"/absolute", 404, 404, ""},
		{"/dangling", 404, 404, ""},
	}
	for _, follow := range []bool{false, true} {
		h, _ := open(t, static.Config{Roots: []string{dir}, FollowSymlinks: follow})
		for _, tt := range tests {
			t.Run(fmt.Sprintf("follow %t%s", follow, strings.ReplaceAll(tt.path, "/", "|")), func(t *testing.T) {
				want := tt.refusing
				if follow {
					want = tt.following
				}
				for range 2 {
					w := get(h, tt.path)
					if w.Code != want || want == 200 && w.Body.String() != tt.body {
						t.Errorf("%d %q, want %d %q", w.Code, w.Body, want, tt.body)
					}
				}
			})
		}
	}
}

// TestSpecialFiles would hang, or serve what is no file, if the kind of file were
// decided by anything but the file.
func TestSpecialFiles(t *testing.T) {
	dir := folder(t, files{"page.txt": ""})
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(dir, "index.html"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(dir, "page.txt.gz"), 0o644))
	must(t, os.Symlink("/dev/zero", filepath.Join(dir, "zero")))
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "socket"))
	must(t, err)
	defer socket.Close()
	for _, follow := range []bool{false, true} {
		h, _ := open(t, static.Config{Roots: []string{dir}, FollowSymlinks: follow})
		for _, path := range []string{"/fifo", "/socket", "/zero", "/"} {
			if w := get(h, path); w.Code != http.StatusNotFound {
				t.Errorf("follow %t: %s: status %d, want 404", follow, path, w.Code)
			}
		}
		if w := get(h, "/page.txt", "Accept-Encoding", "gzip"); w.Code != 200 || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("follow %t: FIFO as an encoded neighbour: %d %v", follow, w.Code, w.Header())
		}
	}
}

// TestExchangedWhileServed swaps a folder with a link to a hidden one, and a file
// with a link to a hidden file, as fast as it can. Not one answer may come from
// behind a link.
func TestExchangedWhileServed(t *testing.T) {
	large := strings.Repeat("p", static.DefaultCacheFile+1)
	dir := folder(t, files{
		"open/file": "public", "open/large": large, "page": "public",
		".hidden/file": "secret", ".hidden/large": strings.Repeat("s", len(large)),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Symlink(".hidden", at("link")))
	must(t, os.Symlink(".hidden/file", at("pagelink")))
	h, k := open(t, static.Config{Roots: []string{dir}})
	for _, tt := range []struct {
		name, link string
		paths      []string
	}{
		{"open", "link", []string{"/open/file", "/open/large"}},
		{"page", "pagelink", []string{"/page"}},
	} {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { swap(t, at(tt.name), at(tt.link), stop) })
		for i := range 4000 {
			k.advance(static.Confirm) // nothing is given from memory unconfirmed
			path := tt.paths[i/100%len(tt.paths)]
			w := get(h, path)
			if w.Code != 200 && w.Code != 404 {
				t.Errorf("%s: status %d", path, w.Code)
			}
			if strings.HasPrefix(w.Body.String(), "s") {
				t.Errorf("%s: the answer is the hidden file's", path)
				break
			}
		}
		close(stop)
		wg.Wait()
	}
}

// TestOpenFileFollowsNothing is the same without what a request needs beside the
// open, so that the moments between its steps are met often.
func TestOpenFileFollowsNothing(t *testing.T) {
	dir := folder(t, files{"open/file": "public", "page": "public", ".hidden/file": "secret"})
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Symlink(".hidden", at("link")))
	must(t, os.Symlink(".hidden/file", at("pagelink")))
	top, err := os.OpenRoot(dir)
	must(t, err)
	defer top.Close()
	for _, tt := range []struct{ name, link, path string }{{"open", "link", "open/file"}, {"page", "pagelink", "page"}} {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { swap(t, at(tt.name), at(tt.link), stop) })
		for range 20_000 {
			f, _, err := nofollow.FileBelow(top, tt.path)
			if err != nil {
				if !nofollow.Missing(err) {
					t.Errorf("%s: %v", tt.path, err)
				}
				continue
			}
			body, err := io.ReadAll(f)
			must(t, err)
			must(t, f.Close())
			if string(body) != "public" {
				t.Errorf("%s: opened the hidden file", tt.path)
				break
			}
		}
		close(stop)
		wg.Wait()
	}
}

// swap exchanges what is at a and b again and again until stop is closed, and an
// even number of times.
func swap(t *testing.T, a, b string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, pair := range [][2]string{{a, a + ".aside"}, {b, a}, {a, b}, {a + ".aside", a}} {
			if err := os.Rename(pair[0], pair[1]); err != nil {
				t.Error(err)
				return
			}
		}
	}
}

// TestLinkInThePlaceOfACachedFolder is the case where the file behind the link is
// the very one that was served before: it is hidden now all the same.
func TestLinkInThePlaceOfACachedFolder(t *testing.T) {
	large := strings.Repeat("p", static.DefaultCacheFile+1)
	dir := folder(t, files{"open/file": "public", "open/large": large})
	h, k := open(t, static.Config{Roots: []string{dir}})
	for _, path := range []string{"/open/file", "/open/large"} {
		if w := get(h, path); w.Code != 200 {
			t.Fatalf("%s: status %d", path, w.Code)
		}
	}
	must(t, os.Rename(filepath.Join(dir, "open"), filepath.Join(dir, ".open")))
	must(t, os.Symlink(".open", filepath.Join(dir, "open")))
	k.advance(static.Confirm)
	for _, path := range []string{"/open/file", "/open/large"} {
		if w := get(h, path); w.Code != 404 {
			t.Errorf("%s: status %d, want 404", path, w.Code)
		}
	}
}
