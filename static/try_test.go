package static_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestTry(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index.html": "index", "about.html": "about", "docs/page.html": "page", "docs/.html": "hidden",
		".secret.html": "secret", "app.js": "script", "empty/x": "x",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const none = "404"
	for _, tt := range []struct {
		name, path, method string
		try                []string
		fallback           string
		want               string
	}{
		{"the file itself", "/app.js", "GET", []string{"index.html"}, "index.html", "script"},
		{"an ending", "/about", "GET", []string{"*.html"}, "", "about"},
		{"an ending, with a slash", "/about/", "GET", []string{"*.html"}, "", "about"},
		{"an ending, deeper", "/docs/page", "GET", []string{"*.html"}, "", "page"},
		{"an ending that no file has", "/nothing", "GET", []string{"*.html"}, "", none},
		{"the next one", "/nothing", "GET", []string{"*.html", "/about.html"}, "", "about"},
		{"of a folder without index", "/docs/", "GET", []string{"*/page.html"}, "", "page"},
		{"of the root", "/", "GET", []string{"*.html"}, "", "index"},
		{"dotfiles stay hidden", "/.secret", "GET", []string{"*.html"}, "", none},
		{"tricks stay refused", "/../about", "GET", []string{"about.html"}, "about.html", none},
		{"fallback", "/users/17", "GET", nil, "index.html", "index"},
		{"fallback, folder", "/empty/", "GET", nil, "/index.html", "index"},
		{"no fallback for a name with a dot", "/gone.js", "GET", nil, "index.html", none},
		{"try for a name with a dot", "/gone.js", "GET", []string{"about.html"}, "index.html", "about"},
		{"fallback that is not there", "/users/17", "GET", nil, "nothing.html", none},
		{"other methods", "/users/17", "POST", nil, "index.html", none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := static.Open(static.Config{Roots: []string{dir}, Try: tt.try, Fallback: tt.fallback})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			for range 2 { // the second time it may come from the cache
				w := httptest.NewRecorder()
				r := httptest.NewRequest(tt.method, "/", nil)
				r.URL.Path = tt.path
				h.ServeHTTP(w, r)
				got := w.Body.String()
				if w.Code != http.StatusOK {
					got = http.StatusText(w.Code)
				}
				if want := tt.want; got != want && (want != none || w.Code != http.StatusNotFound) {
					t.Errorf("%s %s = %d %q, want %s", tt.method, tt.path, w.Code, got, want)
				}
			}
		})
	}
}
