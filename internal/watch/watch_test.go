package watch_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/watch"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// never is longer than any test runs.
const never = time.Hour

// spot is a watched folder. Methods end the test when they fail.
type spot struct {
	t    *testing.T
	dir  string
	told chan []string
}

// newSpot makes a folder with files in it and watches it until the test ends.
func newSpot(t *testing.T, c watch.Config, files ...string) *spot {
	t.Helper()
	return newSpotOpened(t, c, watch.Open, files...)
}

func newSpotOpened(t *testing.T, c watch.Config, open func(watch.Config) (*watch.Watcher, error), files ...string) *spot {
	t.Helper()
	s := &spot{t: t, dir: filepath.Join(t.TempDir(), "shop"), told: make(chan []string, 100)}
	s.mkdir(".")
	for _, f := range files {
		s.write(f, "first")
	}
	c.Roots = []string{s.dir}
	c.Changed = func(files []string) { s.told <- files }
	w, err := open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *spot) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *spot) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *spot) mkdir(name string) {
	s.t.Helper()
	s.check(os.MkdirAll(s.path(name), 0o755))
}

func (s *spot) write(name, text string) {
	s.t.Helper()
	s.mkdir(filepath.Dir(name))
	s.check(os.WriteFile(s.path(name), []byte(text), 0o644))
}

func (s *spot) rename(from, to string) {
	s.t.Helper()
	s.check(os.Rename(s.path(from), s.path(to)))
}

func (s *spot) remove(name string) {
	s.t.Helper()
	s.check(os.RemoveAll(s.path(name)))
}

// next is what is told next, relative to the folder.
func (s *spot) next() []string {
	s.t.Helper()
	select {
	case files := <-s.told:
		for i, f := range files {
			rel, err := filepath.Rel(s.dir, f)
			s.check(err)
			files[i] = filepath.ToSlash(rel)
		}
		return files
	case <-time.After(patience):
		s.t.Fatal("nothing was told")
		return nil
	}
}

// tells waits until all of these files, and no others, have been told, in as
// many bursts as it takes on a busy machine.
func (s *spot) tells(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	var got []string
	for !slices.Equal(got, want) {
		got = append(got, s.next()...)
		slices.Sort(got)
		got = slices.Compact(got)
		for _, f := range got {
			if !slices.Contains(want, f) {
				s.t.Fatalf("told of %s, want %s only", f, want)
			}
		}
	}
}

// quiet checks that nothing was told of what was done before: a change that is
// made now is told alone.
func (s *spot) quiet() {
	s.t.Helper()
	s.write("sentinel.py", time.Now().String())
	s.tells("sentinel.py")
}

// What editors do when somebody saves is one change of one file.
func TestSaves(t *testing.T) {
	for _, tt := range []struct {
		name string
		save func(s *spot)
	}{
		{"in place", func(s *spot) { s.write("views.py", "second") }},
		{"in place, same size", func(s *spot) { s.write("views.py", "FIRST") }},
		{"renamed into place", func(s *spot) {
			s.write(".views.py.tmp-1", "second")
			s.rename(".views.py.tmp-1", "views.py")
		}},
		{"vim: backup, write, remove", func(s *spot) {
			s.write("4913", "")
			s.remove("4913")
			s.rename("views.py", "views.py~")
			s.write("views.py", "second")
			s.remove("views.py~")
		}},
		{"JetBrains: two renames", func(s *spot) {
			s.write("views.py___jb_tmp___", "second")
			s.rename("views.py", "views.py___jb_old___")
			s.rename("views.py___jb_tmp___", "views.py")
			s.remove("views.py___jb_old___")
		}},
		{"touched", func(s *spot) {
			at := time.Now().Add(time.Minute)
			s.check(os.Chtimes(s.path("views.py"), at, at))
		}},
		{"removed", func(s *spot) { s.remove("views.py") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSpot(t, watch.Config{}, "views.py")
			tt.save(s)
			s.tells("views.py")
			s.quiet()
		})
	}
}

// What no source is is not told.
func TestNoise(t *testing.T) {
	s := newSpot(t, watch.Config{}, "views.py", "db.sqlite3", "__pycache__/views.pyc", "venv/pyvenv.cfg", "venv/lib/x.py", ".git/x.py")
	s.write("__pycache__/views.pyc", "second")
	s.write("__pycache__/views.py", "second")
	s.write("venv/lib/x.py", "second")
	s.write(".git/x.py", "second")
	s.write("node_modules/x.py", "second")
	s.write("db.sqlite3", "second")
	s.write("db.sqlite3-journal", "second")
	s.remove("db.sqlite3-journal")
	s.write(".views.py.swp", "second")
	s.write("media/a.html", "second")
	s.check(os.Chmod(s.path("views.py"), 0o600))
	s.quiet()
}

// A folder that becomes a virtual environment while it is watched is left alone
// from then on.
func TestEnvironmentIsMade(t *testing.T) {
	s := newSpot(t, watch.Config{})
	s.mkdir("env/lib")
	s.write("env/pyvenv.cfg", "home = /usr/bin")
	s.write("env/lib/x.py", "installed") // before or after anybody could see what it is
	s.write("mark.py", "")
	for !slices.Contains(s.next(), "mark.py") {
		continue
	}
	s.write("env/lib/y.py", "installed")
	s.quiet()
}

// A folder below the root, with all in it, is looked at as somebody else says; what
// has become visible is seen when the folder's rights have changed.
func TestAs(t *testing.T) {
	var shown atomic.Bool
	var folders sync.Map
	s := newSpot(t, watch.Config{As: func(folder string, look func()) {
		folders.Store(filepath.Base(folder), true)
		if filepath.Base(folder) != "theirs" || shown.Load() {
			look()
		}
	}}, "mine/deep/views.py", "theirs/views.py", "top.py")
	s.write("theirs/views.py", "second")
	s.write("mine/deep/views.py", "second")
	s.tells("mine/deep/views.py")
	s.write("top.py", "second")
	s.tells("top.py")
	shown.Store(true)
	s.check(os.Chmod(s.path("theirs"), 0o700))
	s.tells("theirs/views.py")
	s.write("theirs/views.py", "third")
	s.tells("theirs/views.py")
	folders.Range(func(name, _ any) bool {
		if name != "mine" && name != "theirs" {
			t.Errorf("asked about %s", name)
		}
		return true
	})
}

func TestFolders(t *testing.T) {
	t.Run("new, with files in it", func(t *testing.T) {
		s := newSpot(t, watch.Config{})
		s.write("a/b/c/views.py", "first")
		s.tells("a/b/c/views.py")
		s.write("a/b/c/views.py", "second")
		s.tells("a/b/c/views.py")
		s.write("a/b/models.py", "second")
		s.tells("a/b/models.py")
	})
	t.Run("moved in", func(t *testing.T) {
		s := newSpot(t, watch.Config{}, ".hidden/views.py")
		s.rename(".hidden", "seen")
		s.tells("seen/views.py")
		s.write("seen/views.py", "second")
		s.tells("seen/views.py")
	})
	t.Run("renamed, and the old name taken again", func(t *testing.T) {
		s := newSpot(t, watch.Config{}, "a/sub/views.py")
		s.rename("a", "b")
		s.tells("a/sub/views.py", "b/sub/views.py")
		s.write("b/sub/views.py", "second")
		s.tells("b/sub/views.py")
		s.write("a/sub/views.py", "third")
		s.tells("a/sub/views.py")
		s.write("b/sub/views.py", "fourth")
		s.tells("b/sub/views.py")
		s.write("a/sub/views.py", "fifth")
		s.tells("a/sub/views.py")
	})
	t.Run("removed", func(t *testing.T) {
		s := newSpot(t, watch.Config{}, "a/views.py", "a/b/models.py")
		s.remove("a")
		s.tells("a/views.py", "a/b/models.py")
	})
	t.Run("new, among templates", func(t *testing.T) {
		s := newSpot(t, watch.Config{}, "templates/base.html")
		s.mkdir("templates/mail")
		s.quiet()
	})
}

// The root itself may go and come back, as with git stash or a new checkout.
func TestRoot(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replace func(s *spot)
	}{
		{"removed and made again", func(s *spot) {
			s.remove(".")
			s.tells("views.py")
			s.write("views.py", "second")
		}},
		{"replaced by another", func(s *spot) {
			s.write("../next/views.py", "second")
			s.rename(".", "../last")
			s.rename("../next", ".")
		}},
		{"replaced with its parent", func(s *spot) {
			parent := filepath.Dir(s.dir)
			s.check(os.Rename(parent, parent+"-last"))
			s.t.Cleanup(func() { s.check(os.RemoveAll(parent + "-last")) })
			s.write("views.py", "second")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSpot(t, watch.Config{Interval: 5 * time.Millisecond}, "views.py")
			tt.replace(s)
			s.tells("views.py")
			s.write("later.py", "")
			s.tells("later.py")
		})
	}
}

// Many writes are one change: the wait for quiet has no end here, so that only
// the longest wait ends it.
func TestBurst(t *testing.T) {
	s := newSpot(t, watch.Config{Quiet: never, MaxWait: 300 * time.Millisecond})
	begun := time.Now()
	var want []string
	for i := range 50 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".py"
		s.write(name, "first")
		want = append(want, name)
	}
	wrote := time.Since(begun)
	slices.Sort(want)
	got := s.next()
	if wrote < 200*time.Millisecond && !slices.Equal(got, want) {
		t.Errorf("told of %d files first, want all %d at once", len(got), len(want))
	}
	if waited := time.Since(begun); waited < 300*time.Millisecond {
		t.Errorf("told after %v, before the longest wait was over", waited)
	}
}

// Writing without pause puts nothing off for ever.
func TestStream(t *testing.T) {
	s := newSpot(t, watch.Config{Quiet: never, MaxWait: 20 * time.Millisecond})
	for deadline := time.Now().Add(patience); len(s.told) < 3; s.write("log.py", time.Now().String()) {
		if time.Now().After(deadline) {
			t.Fatalf("told %d times in %v of writing", len(s.told), patience)
		}
	}
}

// Where the system refuses watches, at once or later, files are looked at
// instead, and the log says how to get more.
func TestPolling(t *testing.T) {
	for _, tt := range []struct {
		name    string
		watches int
		err     error
		hint    string
	}{
		{"no notifier", -1, syscall.EMFILE, "fs.inotify.max_user_instances"},
		{"no watch", 0, syscall.ENOSPC, "fs.inotify.max_user_watches"},
		{"not enough watches at first", 1, syscall.ENOSPC, "fs.inotify.max_user_watches"},
		{"not enough watches later", 2, syscall.ENOSPC, "fs.inotify.max_user_watches"},
		{"something else", 0, syscall.ENOSYS, "refuses to watch files"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			c := watch.Config{Interval: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))}
			s := newSpotOpened(t, c, func(c watch.Config) (*watch.Watcher, error) { return watch.OpenRefused(c, tt.watches, tt.err) }, "a/views.py")
			s.write("a/views.py", "second")
			s.tells("a/views.py")
			s.write("b/views.py", "new")
			s.tells("b/views.py")
			s.write("b/.views.py.new", "renamed over it")
			s.rename("b/.views.py.new", "b/views.py")
			s.tells("b/views.py")
			s.remove("a")
			s.tells("a/views.py")
			if got := strings.Count(log.String(), tt.hint); got != 1 {
				t.Errorf("the log says %q %d times, want once:\n%s", tt.hint, got, &log)
			}
		})
	}
}

// A queue of events that ran over is made up for by looking at everything.
func TestOverrun(t *testing.T) {
	lost := make(chan error)
	s := newSpotOpened(t, watch.Config{Interval: never}, func(c watch.Config) (*watch.Watcher, error) { return watch.OpenOverrun(c, lost) })
	s.write("a/views.py", "first")
	s.write("models.py", "first")
	lost <- errors.New("the queue ran over")
	s.tells("a/views.py", "models.py")
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "views.py")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, file + "x"} {
		if w, err := watch.Open(watch.Config{Roots: []string{t.TempDir(), root}}); err == nil {
			w.Close()
			t.Errorf("Open(%s) = nil, want an error", root)
		}
	}
}

// Roots may lie in one another, and may be links.
func TestRoots(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"src/shop", "src/.venv/lib", "docs"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "docs"), link); err != nil {
		t.Fatal(err)
	}
	told := make(chan []string, 1)
	w, err := watch.Open(watch.Config{Roots: []string{dir, filepath.Join(dir, "src"), link}, Changed: func(files []string) { told <- files }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := w.Folders(); got != 5 {
		t.Errorf("%d folders, want 5: the folder, docs, src, src/shop and what the link leads to", got)
	}
	if err := os.WriteFile(filepath.Join(link, "conf.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case files := <-told:
		if !slices.Contains(files, filepath.Join(link, "conf.py")) {
			t.Errorf("told of %s, want the link's conf.py", files)
		}
	case <-time.After(patience):
		t.Fatal("nothing was told")
	}
}
