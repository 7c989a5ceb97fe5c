package static_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestServeHTTP(t *testing.T) {
	dir := folder(t, files{
		"index.html":               "<p>top",
		"page.txt":                 "text",
		"empty":                    "",
		"sub/index.htm":            "<p>sub",
		"bare/file":                "f",
		"both/index.html":          "<p>html",
		"both/index.htm":           "<p>htm",
		".well-known/security.txt": "contact",
		".well-known/.git/config":  "secret",
		".env":                     "secret",
		".git/config":              "secret",
		"sub/.hidden/file":         "secret",
		"a:b/index.html":           "<p>colon",
		"back\\slash":              "backslash",
		"q?#%41 &\"'\n":            "odd",
		"\xff\xfe":                 "not UTF-8",
		"日本.txt":                   "name",
	})
	h, _ := open(t, static.Config{Roots: []string{dir}})
	tests := []struct {
		name, method, path string
		status             int
		body               string // of a 200; the Location of a 301
	}{
		{"index of the root", "GET", "/", 200, "<p>top"},
		{"index by its name", "GET", "/index.html", 200, "<p>top"},
		{"file", "GET", "/page.txt", 200, "text"},
		{"empty file", "GET", "/empty", 200, ""},
		{"second index name", "GET", "/sub/", 200, "<p>sub"},
		{"first of two index names", "GET", "/both/", 200, "<p>html"},
		{"folder without its slash", "GET", "/sub", 301, "./sub/"},
		{"folder whose name looks like a scheme", "GET", "/a:b", 301, "./a:b/"},
		{"folder without index", "GET", "/bare/", 404, ""},
		{"folder without index, without slash", "GET", "/bare", 301, "./bare/"},
		{"file with a slash", "GET", "/page.txt/", 404, ""},
		{"file as a folder", "GET", "/page.txt/x", 404, ""},
		{"file as a folder without index", "GET", "/page.txt/x/", 404, ""},
		{"nothing", "GET", "/nothing", 404, ""},
		{"well-known", "GET", "/.well-known/security.txt", 200, "contact"},
		{"hidden in well-known", "GET", "/.well-known/.git/config", 404, ""},
		{"dotfile", "GET", "/.env", 404, ""},
		{"dot folder", "GET", "/.git/config", 404, ""},
		{"dot folder itself", "GET", "/.git", 404, ""},
		{"dot folder below", "GET", "/sub/.hidden/file", 404, ""},
		{"doubled slash", "GET", "//page.txt", 301, "/page.txt"},
		{"doubled slash to a host", "GET", "//evil.example/..;/sub", 301, "/evil.example/..;/sub"},
		{"doubled slash to a folder", "GET", "///sub//", 301, "/sub/"},
		{"backslash to a host", "GET", "//\\evil.example", 301, "/%5Cevil.example"},
		{"dot element", "GET", "/./page.txt", 301, "/page.txt"},
		{"dot element at the end", "GET", "/sub/.", 301, "/sub/"},
		{"parent", "GET", "/../page.txt", 404, ""},
		{"parent inside", "GET", "/sub/../page.txt", 404, ""},
		{"parent at the end", "GET", "/sub/..", 404, ""},
		{"name of dots", "GET", "/...", 404, ""},
		{"NUL", "GET", "/page.txt\x00.html", 404, ""},
		{"backslash in a name", "GET", "/back\\slash", 200, "backslash"},
		{"special characters in a name", "GET", "/q?#%41 &\"'\n", 200, "odd"},
		{"name that is not UTF-8", "GET", "/\xff\xfe", 200, "not UTF-8"},
		{"name in another script", "GET", "/日本.txt", 200, "name"},
		{"too long a name", "GET", "/" + strings.Repeat("n", 300), 404, ""},
		{"no slash at all", "GET", "page.txt", 404, ""},
		{"HEAD", "HEAD", "/page.txt", 200, ""},
		{"HEAD of nothing", "HEAD", "/nothing", 404, ""},
		{"POST to a file", "POST", "/page.txt", 405, ""},
		{"POST to a folder", "POST", "/bare/", 405, ""},
		{"POST to nothing", "POST", "/nothing", 404, ""},
		{"POST to an unclean path", "POST", "//page.txt", 404, ""},
		{"unknown method", "BREW", "/page.txt", 405, ""},
		{"DELETE", "DELETE", "/page.txt", 405, ""},
		{"OPTIONS", "OPTIONS", "/page.txt", 204, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // from the disk, from the cache
				w := httptest.NewRecorder()
				h.ServeHTTP(w, request(tt.method, tt.path))
				if w.Code != tt.status {
					t.Fatalf("status = %d, want %d", w.Code, tt.status)
				}
				switch tt.status {
				case 200:
					if w.Body.String() != tt.body {
						t.Errorf("body = %q, want %q", w.Body, tt.body)
					}
				case 204, 405:
					if got := w.Header().Get("Allow"); got != "GET, HEAD, OPTIONS" {
						t.Errorf("Allow = %q", got)
					}
				case 301:
					if got := w.Header().Get("Location"); got != tt.body {
						t.Errorf("Location = %q, want %q", got, tt.body)
					}
				}
				if strings.Contains(w.Body.String(), "secret") {
					t.Errorf("gives a secret away: %q", w.Body)
				}
			}
		})
	}
}

// TestSpellingsOfTheWire sends paths as they come over a socket, where the
// encoding is part of the question.
func TestSpellingsOfTheWire(t *testing.T) {
	outside := folder(t, files{"secret.txt": "secret"})
	dir := filepath.Join(outside, "root")
	must(t, os.Mkdir(dir, 0o755))
	fill(t, dir, files{"page.txt": "text", "sub/x.txt": "x", "%41": "percent", "a b": "space", ".env": "secret"})
	h, _ := open(t, static.Config{Roots: []string{dir}, Listing: true})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	tests := []struct {
		target, location string
		status           int
	}{
		{"/page.txt", "", 200},
		{"/%70age.txt", "", 200},
		{"/a%20b", "", 200},
		{"/%2541", "", 200},
		{"/sub?x=//evil.example", "./sub/?x=//evil.example", 301},
		{"//sub/x.txt?a=1", "/sub/x.txt?a=1", 301},
		{"/sub%2Fx.txt", "", 404},
		{"/sub%2fx.txt", "", 404},
		{"/%2e%2e/secret.txt", "", 404},
		{"/..%2fsecret.txt", "", 404},
		{"/.%2e/secret.txt", "", 404},
		{"/sub/%2e%2e/%2e%2e/secret.txt", "", 404},
		{"/%2e%2e%2fsecret.txt", "", 404},
		{"/..%5csecret.txt", "", 404},
		{"/..%c0%afsecret.txt", "", 404},
		{"/..%252fsecret.txt", "", 404},
		{"/%2e/page.txt", "/page.txt", 301},
		{"/%2eenv", "", 404},
		{"/sub/%2e%2e/.env", "", 404},
		{"/page.txt%00", "", 404},
		{"/page.txt%00.html", "", 404},
		{"/page.txt;x", "", 404},
		{"/page.txt%20", "", 404},
		{"/page.txt.", "", 404},
		{"/PAGE.TXT", "", 404},
		{"/page.txt::$DATA", "", 404},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.target, "/", "|"), func(t *testing.T) {
			response, body := fetch(t, server, "GET", tt.target)
			if response.StatusCode != tt.status || response.Header.Get("Location") != tt.location {
				t.Errorf("%d, Location %q; want %d, %q", response.StatusCode, response.Header.Get("Location"), tt.status, tt.location)
			}
			if strings.Contains(body, "secret\n") || body == "secret" {
				t.Errorf("gives the secret away: %q", body)
			}
		})
	}
}

func TestHeadSaysWhatGetDoes(t *testing.T) {
	dir := folder(t, files{"small.html": "<p>page", "large.bin": strings.Repeat("x", static.DefaultCacheFile+1), "sub/f": ""})
	h, _ := open(t, static.Config{Roots: []string{dir}, Listing: true})
	for _, path := range []string{"/small.html", "/large.bin", "/sub/", "/nothing"} {
		t.Run(path, func(t *testing.T) {
			g := get(h, path)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(http.MethodHead, path))
			if w.Code != g.Code || w.Body.Len() != 0 {
				t.Errorf("status %d with %d bytes of body, want %d and none", w.Code, w.Body.Len(), g.Code)
			}
			if got, want := w.Header().Get("Content-Length"), strconv.Itoa(g.Body.Len()); got != want {
				t.Errorf("Content-Length = %s, want %s", got, want)
			}
			for name := range g.Header() {
				if name != "X-Request-Id" && w.Header().Get(name) != g.Header().Get(name) {
					t.Errorf("%s = %q, want %q", name, w.Header().Get(name), g.Header().Get(name))
				}
			}
		})
	}
}

func TestRootsInOrder(t *testing.T) {
	first := folder(t, files{"a": "first a", "dir/x": "first x", "thing/": ""})
	second := folder(t, files{"a": "second a", "b": "second b", "dir/index.html": "second index", "dir/y": "second y", "thing": "second thing"})
	h, _ := open(t, static.Config{Roots: []string{first, second}})
	for path, want := range map[string]string{"/a": "first a", "/b": "second b", "/dir/": "second index", "/dir/x": "first x", "/dir/y": "second y"} {
		if w := get(h, path); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, w.Body, want)
		}
	}
	if w := get(h, "/thing"); w.Code != 301 {
		t.Errorf("a folder of the first root before a file of the second: status %d, want 301", w.Code)
	}
}

func TestPrefix(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"a.css": "p{}", "sub/x": ""})}, Prefix: "/static/", Listing: true})
	for path, want := range map[string]int{"/static/a.css": 200, "/static/": 200, "/static": 301, "/static/sub": 301, "/a.css": 404, "/": 404, "/staticx": 404, "/static//a.css": 301} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	if got := get(h, "/static//a.css").Header().Get("Location"); got != "/static/a.css" {
		t.Errorf("Location = %q, want /static/a.css", got)
	}
}

func TestStripPrefixKeepsFolderRedirectsRight(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"sub/index.html": ""})}})
	w := get(http.StripPrefix("/mount", h), "/mount/sub")
	if got := w.Header().Get("Location"); w.Code != 301 || got != "./sub/" {
		t.Errorf("%d, Location %q; want 301, ./sub/", w.Code, got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := folder(t, files{"file": ""})
	tests := []struct {
		name   string
		config static.Config
		holds  string
	}{
		{"no root", static.Config{}, "no roots"},
		{"missing root", static.Config{Roots: []string{filepath.Join(dir, "nix")}}, "nix"},
		{"file as root", static.Config{Roots: []string{filepath.Join(dir, "file")}}, "file"},
		{"second root missing", static.Config{Roots: []string{dir, filepath.Join(dir, "nix")}}, "nix"},
		{"prefix without slash", static.Config{Roots: []string{dir}, Prefix: "/static"}, "prefix"},
		{"index outside", static.Config{Roots: []string{dir}, Index: []string{"../index.html"}}, "index"},
		{"charset with a line end", static.Config{Roots: []string{dir}, Charset: "gbk\r\nX: y"}, "charset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := static.Open(tt.config)
			if err == nil {
				_ = h.Close()
				t.Fatal("opened")
			}
			if !strings.HasPrefix(err.Error(), "static: ") || !strings.Contains(err.Error(), tt.holds) {
				t.Errorf("error = %q, want it to begin with the package and to name %q", err, tt.holds)
			}
		})
	}
}

func TestClosedHandlerFails(t *testing.T) {
	h, err := static.Open(static.Config{Roots: []string{folder(t, files{"a": ""})}})
	must(t, err)
	must(t, h.Close())
	must(t, h.Close())
	if w := get(h, "/a"); w.Code != http.StatusInternalServerError {
		t.Errorf("status = %d, want 500", w.Code)
	}
}

func TestNotModifiedBySomebodyOutside(t *testing.T) {
	dir := folder(t, files{"a.html": "<p>", "large.html": strings.Repeat("x", static.DefaultCacheFile+1)})
	h, _ := open(t, static.Config{Roots: []string{dir}})
	for _, path := range []string{"/a.html", "/large.html"} {
		fast := &whole{ResponseRecorder: httptest.NewRecorder()}
		fast.Header().Set("Cache-Control", "private")
		fast.Header().Set("Vary", "Origin")
		h.ServeHTTP(fast, request("GET", path))
		if got := fast.Header()["Cache-Control"]; fast.Code != 200 || len(got) != 1 || got[0] != "private" {
			t.Errorf("%s: %d, Cache-Control = %q, want what middleware set, once", path, fast.Code, got)
		}
	}
}

// TestConcurrentUse has the race detector look at requests of all kinds while
// the folder changes.
func TestConcurrentUse(t *testing.T) {
	dir := folder(t, files{"a.txt": "0", "a.txt.gz": "z0", "sub/index.html": "0"})
	h, k := open(t, static.Config{Roots: []string{dir}, Listing: true})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 100 {
				path := []string{"/a.txt", "/sub/", "/", "/nothing"}[(i+worker)%4]
				w := &whole{ResponseRecorder: httptest.NewRecorder()}
				h.ServeHTTP(w, request("GET", path, "Accept-Encoding", "gzip"))
				if w.Code != 200 && w.Code != 404 {
					t.Errorf("%s: status %d", path, w.Code)
				}
				io.Copy(io.Discard, w.Body)
			}
		})
	}
	wg.Go(func() {
		for i := range 50 {
			if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(strconv.Itoa(i)), 0o644); err != nil {
				t.Error(err)
			}
			k.advance(static.Confirm)
		}
	})
	wg.Wait()
}
