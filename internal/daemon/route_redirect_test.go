package daemon_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// Whatever a client sends, it is sent to the host that the file names, with one
// line in the head.
func FuzzLocation(f *testing.F) {
	for _, path := range []string{"/old/a/b?x=1", "/old//evil.example/", `/old/\evil.example`, "/old/%0d%0aA:%20b", "/old/../x", "/old/%2e%2e/", "/old/a%3fb#c", "/old"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from, err := url.ParseRequestURI(text)
		if err != nil || !strings.HasPrefix(from.Path, "/old") || from.Host != "" {
			return
		}
		for target, begins := range map[string]string{"/*": "/", "/new/*": "/new/", "https://example.org/*": "https://example.org/", "/fixed": "/fixed"} {
			got := daemon.Location("/old/*", target, from)
			if strings.ContainsAny(got, "\r\n") || !strings.HasPrefix(got, begins) || strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) {
				t.Errorf("from %q to %q: %q", text, target, got)
			}
		}
	})
}
