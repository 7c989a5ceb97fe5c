package static_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

// Nothing leads into a withheld folder, and no other folder is taken for one.
func TestWithheld(t *testing.T) {
	dir := folder(t, files{
		"cgi-bin/a.py":       "source",
		"cgi-bin/index.html": "index",
		"Cgi-Bin/b.py":       "source",
		"sub/cgi-bin/c.txt":  "text",
		"cgi-bin.txt":        "text",
		"own/":               "",
	})
	for link, target := range map[string]string{
		"link": "cgi-bin", "one.py": "cgi-bin/a.py", "own/index.html": "../cgi-bin/a.py", "self": ".",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	tests := []struct {
		path      string
		refusing  int // by default
		following int // with FollowSymlinks
	}{
		{"/cgi-bin/a.py", 403, 403},
		{"/cgi-bin/nothing", 403, 403},
		{"/cgi-bin/", 403, 403},
		{"/cgi-bin", 403, 403},
		{"/Cgi-Bin/b.py", 403, 403},
		{"//cgi-bin/a.py", 301, 301},
		{"/x/../cgi-bin/a.py", 404, 404},
		{"/htbin/a.py", 404, 404}, // withheld, but not there
		{"/link/a.py", 404, 403},
		{"/one.py", 404, 403},
		{"/own/", 404, 403},
		{"/self/cgi-bin/a.py", 404, 403},
		{"/sub/cgi-bin/c.txt", 200, 200},
		{"/cgi-bin.txt", 200, 200},
	}
	for _, follow := range []bool{false, true} {
		h, _ := open(t, static.Config{Roots: []string{dir}, FollowSymlinks: follow, Withheld: []string{"cgi-bin", "htbin"}})
		for _, tt := range tests {
			t.Run(fmt.Sprintf("follow %t%s", follow, strings.ReplaceAll(tt.path, "/", "|")), func(t *testing.T) {
				want := tt.refusing
				if follow {
					want = tt.following
				}
				for range 2 {
					if w := get(h, tt.path); w.Code != want || strings.Contains(w.Body.String(), "source") {
						t.Errorf("%d %q, want %d", w.Code, w.Body, want)
					}
				}
			})
		}
		h, _ = open(t, static.Config{Roots: []string{dir}, FollowSymlinks: follow, Listing: true, Withheld: []string{"cgi-bin", "htbin"}})
		if body := get(h, "/").Body.String(); strings.Contains(strings.ToLower(body), "cgi-bin/") || strings.Contains(body, "one.py") || !strings.Contains(body, "cgi-bin.txt") {
			t.Errorf("listing: %s", body)
		}
	}
}
