package webapps_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/webapps"
)

// TestPrivate: of what is kept beside applications nobody else on the machine may
// see anything, and a key that others could have read signs nothing.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	if err := h.deploy("blog", ".zip", hello("one"), webapps.DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "one")
	beside := filepath.Join(dir, ".gatehouse")
	seen := map[string]bool{}
	for _, path := range []string{"", "key", "lock", "incoming", "data", "data/blog", "apps", "apps/blog", "apps/blog/state", "apps/blog/1.files"} {
		info, err := os.Stat(filepath.Join(beside, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		seen[filepath.Join(beside, path)] = true
	}
	// What else there is lies in such a folder.
	if err := filepath.WalkDir(beside, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !seen[path] && !strings.HasPrefix(path, filepath.Join(beside, "apps/blog/1")+"/") {
			t.Errorf("nobody knows of %s", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	h.close()

	key := filepath.Join(beside, "key")
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	d, err := webapps.Open(webapps.Config{Dir: dir})
	if err == nil {
		_ = d.Close(context.Background())
	}
	if err == nil || !strings.Contains(err.Error(), key+" is not a file of 32 bytes that only its owner can read; remove it, and another is made") {
		t.Errorf("with a key that others can read: %v", err)
	}
}

// TestShare: where there come to be several users, each can get to what is his, and
// see nothing of what was there for one user; whatever the folder is called.
func TestShare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*", "webapps")
	beside := filepath.Join(dir, ".gatehouse")
	want := map[string]fs.FileMode{
		"": 0o711, "data": 0o711, "apps": 0o711, "apps/blog": 0o711, "apps/blog/venv": 0o755,
		"data/blog": 0o700, "apps/blog/1": 0o700, "apps/blog/venv/key": 0o700,
	}
	for path := range want {
		if err := os.MkdirAll(filepath.Join(beside, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, beside, tree{"apps/blog/state": `{"current":1}`})
	open(t, dir, func(c *webapps.Config) { c.Shared = true })
	for path, mode := range want {
		info, err := os.Stat(filepath.Join(beside, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has the mode %04o, want %04o", path, info.Mode().Perm(), mode)
		}
	}
}

// TestRecover: what a server was moving when it was killed is back where it was,
// unless there is something else, and what is left is in nobody's way.
func TestRecover(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, tree{
		".moving-1-blog/index.html": "the first", ".moving-2-blog/index.html": "the last",
		".moving-1-wiki/index.html": "wiki before", "wiki/index.html": "wiki now",
		".moving-house/index.html": "none of ours",
	})
	h := open(t, dir)
	h.wants("/blog/", 200, "the last")
	h.wants("/wiki/", 200, "wiki now")
	log := h.log.String()
	for _, says := range []string{"is back\" folder=" + dir + "/blog\n", "stays\" folder=" + dir + "/.moving-1-blog ", "stays\" folder=" + dir + "/.moving-1-wiki "} {
		if !strings.Contains(log, says) {
			t.Errorf("the log does not have %q", says)
		}
	}
	for _, name := range []string{"blog", "wiki"} {
		if err := h.Undeploy(t.Context(), named(t, name)); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, ".moving-1-"+name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".moving-house")); err != nil {
		t.Error(err)
	}
}

// TestDataStays: what an application keeps where GATEHOUSE_DATA says is there after
// all that can become of the application.
func TestDataStays(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	name, none := named(t, "blog"), webapps.DeployOptions{}
	kept := filepath.Join(dir, ".gatehouse/data/blog/visitors.txt")
	steps := []struct {
		what string
		do   func() error
	}{
		{"deployed", func() error { return h.deploy("blog", ".zip", hello("one"), none) }},
		{"deployed again", func() error { return h.deploy("blog", ".zip", hello("two"), none) }},
		{"failed", func() error { _ = h.deploy("blog", ".zip", tree{"notes.txt": ""}, none); return nil }},
		{"rolled back", func() error { return h.Rollback(t.Context(), name) }},
		{"reloaded", func() error { return h.Reload(t.Context(), name) }},
		{"undeployed", func() error { return h.Undeploy(t.Context(), name) }},
		{"deployed anew", func() error { return h.deploy("blog", ".zip", hello("three"), none) }},
	}
	for n, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		if n == 0 {
			if env := text(t, h.do("GET", "/blog/env")); !strings.Contains(env, "GATEHOUSE_DATA="+filepath.Dir(kept)+"\n") {
				t.Fatalf("it has the environment\n%s", env)
			}
			write(t, filepath.Dir(kept), tree{"visitors.txt": "ada"})
		}
		if got, err := os.ReadFile(kept); err != nil || string(got) != "ada" {
			t.Errorf("%s, it has %q, %v", s.what, got, err)
		}
	}
	h.wants("/blog/", 200, "three")
	h.close()
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("with the server the data has gone: %v", err)
	}
}
