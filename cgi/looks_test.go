package cgi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// What is remembered of a script holds for that version of it alone.
func TestScriptThatChanges(t *testing.T) {
	const old, other = text + "echo old\n", text + "echo new\n"
	hourAgo := time.Now().Add(-time.Hour)
	tests := []struct {
		name   string
		change func(t *testing.T, dir, path string)
		status int
		want   string
	}{
		{"not at all", func(*testing.T, string, string) {}, 200, "old\n"},
		{"written anew", func(t *testing.T, dir, _ string) { put(t, dir, "script", other, 0o755) }, 200, "new\n"},
		{"replaced by one as old and as long", func(t *testing.T, dir, path string) {
			put(t, dir, "next", other, 0o755)
			must(t, os.Chtimes(filepath.Join(dir, "next"), hourAgo, hourAgo))
			must(t, os.Rename(filepath.Join(dir, "next"), path))
		}, 200, "new\n"},
		{"interpreter is gone", func(t *testing.T, dir, _ string) { put(t, dir, "script", "#!/no/such\n", 0o755) }, 502, "*"},
		{"not executable any more", func(t *testing.T, _, path string) { must(t, os.Chmod(path, 0o644)) }, 403, "*"},
		{"others may write to it", func(t *testing.T, _, path string) { must(t, os.Chmod(path, 0o775)) }, 403, "*"},
		{"a link", func(t *testing.T, dir, path string) {
			must(t, os.Rename(path, filepath.Join(dir, "real")))
			must(t, os.Symlink("real", path))
		}, 403, "*"},
		{"gone", func(t *testing.T, _, path string) { must(t, os.Remove(path)) }, 404, "*"},
		{"a folder", func(t *testing.T, dir, path string) {
			must(t, os.Remove(path))
			put(t, dir, "script/inner", text+"echo inner\n", 0o755)
		}, 403, "*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, files{"script": old})
			path := filepath.Join(dir, "script")
			must(t, os.Chtimes(path, hourAgo, hourAgo)) // old enough to be remembered
			s := open(t, dir, cgi.Config{}).serve(t, testserver.H1)
			for range 2 {
				if res := s.Get("/cgi-bin/script"); res.Status != 200 || res.Text() != "old\n" {
					t.Fatalf("before: %d %q", res.Status, res.Text())
				}
			}
			tt.change(t, dir, path)
			for range 2 {
				if res := s.Get("/cgi-bin/script"); res.Status != tt.status || tt.want != "*" && res.Text() != tt.want || strings.Contains(res.Text(), "echo") {
					t.Errorf("%d %q, want %d %q", res.Status, res.Text(), tt.status, tt.want)
				}
			}
		})
	}
}
