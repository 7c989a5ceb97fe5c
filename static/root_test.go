package static_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

// TestRootIsExchanged has the root rebuilt, removed and switched by a link, as
// builds and deploys do while the server runs.
func TestRootIsExchanged(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	fill(t, dir, files{"one/page": "one", "two/page": "two", "two/new": "new"})
	must(t, os.Symlink("one", at("current")))
	h, k := open(t, static.Config{Roots: []string{at("current")}})
	expect := func(when, path string, status int, body string) {
		t.Helper()
		if w := get(h, path); w.Code != status || status == 200 && w.Body.String() != body {
			t.Errorf("%s: %s: %d %q, want %d %q", when, path, w.Code, w.Body, status, body)
		}
	}
	expect("at first", "/page", 200, "one")

	must(t, os.Symlink("two", at("next")))
	must(t, os.Rename(at("next"), at("current")))
	k.advance(static.Reidentify)
	expect("link switched", "/page", 200, "two")
	expect("link switched", "/new", 200, "new")

	must(t, os.Remove(at("current")))
	k.advance(static.Reidentify)
	expect("root gone", "/page", 404, "")

	fill(t, dir, files{"current/page": "rebuilt"})
	k.advance(static.Reidentify)
	expect("root rebuilt", "/page", 200, "rebuilt")

	must(t, os.RemoveAll(at("current")))
	must(t, os.WriteFile(at("current"), []byte("no folder"), 0o644))
	k.advance(static.Reidentify)
	expect("file in its place", "/page", 404, "")
}

// TestRootIsAPathOfTheStart has the working directory change after Open.
func TestRootIsAPathOfTheStart(t *testing.T) {
	dir := folder(t, files{"site/page": "text"})
	t.Chdir(dir)
	h, k := open(t, static.Config{Roots: []string{"site"}})
	t.Chdir(filepath.Join(dir, "site"))
	k.advance(static.Reidentify)
	if w := get(h, "/page"); w.Code != 200 {
		t.Errorf("status = %d, want 200", w.Code)
	}
}
