package static_test

import (
	"net/http/httptest"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

// FuzzPath gives paths as they come over the wire. Whatever the spelling: nothing
// hidden or outside is ever in an answer, a redirect stays on this host and leads
// to a path that is not redirected for the same reason again, and what passes as a
// name is one that path.Clean does not change.
func FuzzPath(f *testing.F) {
	dir := folder(f, files{
		"page.txt": "text", "sub/index.html": "index", "sub/deep/x": "x", ".env": "SECRET", ".git/config": "SECRET", "sub/.x/y": "SECRET",
	})
	h, _ := open(f, static.Config{Roots: []string{dir + "/sub", dir}, Listing: true})
	for _, seed := range []string{
		"/", "/page.txt", "/sub", "/sub/", "//evil.example/%2e%2e", "/%2e%2e/.env", "/sub/..%2f.env", "/.git/config", "/./.env",
		"/\\evil.example/", "/sub//deep/./x", "/sub/.x/y", "/%00", "/;/", "/..;/.env", "/sub/%2e", "/a%3Ab/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return // the engine does not let it through
		}
		r := httptest.NewRequest("GET", "/", nil)
		if u.Host != "" {
			return
		}
		r.URL = u
		if name, _, verdict := static.NameOf(r, "/"); verdict == static.PathServable {
			if name != path.Clean(name) || !filepath.IsLocal(name) || strings.Contains(name, "\x00") {
				t.Errorf("%q is taken for the name %q", target, name)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case 200, 404:
			if strings.Contains(w.Body.String(), "SECRET") {
				t.Errorf("%q: %q", target, w.Body)
			}
		case 301:
			base := &url.URL{Scheme: "http", Host: "host", Path: u.Path, RawPath: u.RawPath}
			next, err := base.Parse(w.Header().Get("Location"))
			if err != nil || next.Host != "host" || next.Scheme != "http" || strings.ContainsAny(w.Header().Get("Location"), "\r\n\\") {
				t.Fatalf("%q is sent to %q", target, w.Header().Get("Location"))
			}
			r.URL = next
			if _, _, verdict := static.NameOf(r, "/"); verdict != static.PathServable {
				t.Errorf("%q is sent to %q, which has verdict %d", target, next, verdict)
			}
		default:
			t.Errorf("%q: status %d", target, w.Code)
		}
	})
}
