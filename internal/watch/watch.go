package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Defaults of Config, and why.
const (
	// DefaultQuiet is longer than an editor takes between two steps of one save,
	// and too short to be felt.
	DefaultQuiet = 50 * time.Millisecond
	// DefaultMaxWait bounds the wait for quiet, so that a tool that writes without
	// pause hides nothing.
	DefaultMaxWait = 500 * time.Millisecond
	// DefaultInterval is the time between two looks without watches: a walk
	// through a thousand files takes some five milliseconds.
	DefaultInterval = 500 * time.Millisecond
)

// Config says what to watch. Zero durations mean the defaults.
type Config struct {
	// Roots are the folders, all that lies below them included. One that
	// disappears is watched again when it is back.
	Roots []string
	// Changed is called with the files that were written, created, moved or
	// removed, sorted. It is called from one goroutine, never twice at a time,
	// and never after Close has returned; while it runs nothing is told.
	Changed func(files []string)

	// As has a folder right below a root, and all in it, looked at: as it likes, by
	// calling look. nil looks as the process does.
	As func(folder string, look func())

	// Quiet is how long nothing must happen before a change is told, MaxWait how
	// long that may take at most.
	Quiet, MaxWait time.Duration
	// Interval is the time between two looks at the roots, and at all files where
	// the system refuses watches.
	Interval time.Duration
	// Log receives a sentence if the system refuses watches; nil discards it.
	Log *slog.Logger
}

// Watcher watches folders until it is closed.
type Watcher struct {
	config Config
	notify notifier // nil: the files are looked at again and again
	tree   *tree    // as it was looked at last

	folders int
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// notifier is what a Watcher needs of an *fsnotify.Watcher. It is an interface
// for the sake of tests: no system refuses watches when asked to.
type notifier interface {
	Add(dir string) error
	Remove(dir string) error
	WatchList() []string
	Close() error
	events() <-chan fsnotify.Event
	errors() <-chan error
}

// system is the operating system's notifier.
type system struct{ *fsnotify.Watcher }

func (s system) events() <-chan fsnotify.Event { return s.Events }
func (s system) errors() <-chan error          { return s.Errors }

func newSystem() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return system{w}, nil
}

// Open begins to watch: every change that is made after it has returned is
// told. The error is about a root that is no readable folder. Whoever opens a
// watcher closes it.
func Open(c Config) (*Watcher, error) { return open(c, newSystem) }

func open(c Config, newNotifier func() (notifier, error)) (*Watcher, error) {
	c.Roots = slices.Clone(c.Roots)
	for i, root := range c.Roots {
		abs, err := filepath.Abs(root)
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		if _, err := os.ReadDir(abs); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		c.Roots[i] = abs
	}
	setDefault(&c.Quiet, DefaultQuiet)
	setDefault(&c.MaxWait, DefaultMaxWait)
	setDefault(&c.Interval, DefaultInterval)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{config: c}
	var err error
	if w.notify, err = newNotifier(); err != nil {
		w.notify = nil // not an interface that holds a nil
		w.poll(err)
	}
	w.tree = w.look()
	w.folders = len(w.tree.folders)
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.wg.Go(func() { w.run(ctx) })
	return w, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Folders is how many folders there were to watch when the watcher was opened.
func (w *Watcher) Folders() int { return w.folders }

// Close ends watching and waits for a call of Changed that is under way. A
// second call does nothing.
func (w *Watcher) Close() error {
	w.cancel()
	w.wg.Wait()
	return nil
}

// run is the life of the watcher.
func (w *Watcher) run(ctx context.Context) {
	defer w.stopNotify()
	tick := time.NewTicker(w.config.Interval)
	defer tick.Stop()
	b := newBurst(w.config.Quiet, w.config.MaxWait)
	defer b.stop()
	for {
		var events <-chan fsnotify.Event
		var failures <-chan error
		if w.notify != nil {
			events, failures = w.notify.events(), w.notify.errors()
		}
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			w.heed(e, b)
		case err := <-failures: // a queue that ran over, most likely: look at everything
			w.config.Log.Debug("the system lost sight of some files", "error", err)
			b.extend()
		case <-tick.C:
			// A root that was removed, or replaced together with its parent, sends
			// nothing that could be relied on.
			if w.notify == nil && w.compare(b) || w.tree.stale(w.config.Roots) {
				b.extend()
			}
		case <-b.over():
			if w.compare(b) && w.notify == nil && b.extend() {
				continue // without watches only another look tells whether it goes on
			}
			if files := b.end(); len(files) > 0 {
				w.config.Changed(files)
			}
		}
	}
}

// heed takes in what the system says.
func (w *Watcher) heed(e fsnotify.Event, b *burst) {
	dir, name := filepath.Split(e.Name)
	a, known := w.tree.folders[filepath.Clean(dir)]
	_, isFolder := w.tree.folders[e.Name]
	switch {
	case e.Has(fsnotify.Chmod) && w.config.As != nil && slices.Contains(w.config.Roots, filepath.Clean(dir)):
		b.extend() // the folder may be somebody else's now
	case isFolder || !known:
		b.extend() // also what comes without a name, when a watch has ended
	case counts(a, name):
		// Two writes within one tick of the file system's clock can leave a file
		// that looks the same: here the event knows more.
		if e.Has(fsnotify.Create|fsnotify.Write) && w.sees(isRegular, e.Name) {
			b.add(e.Name)
		}
		b.extend()
	case e.Has(fsnotify.Create) && (name == "pyvenv.cfg" || !skips(name) && w.sees(isDir, e.Name)):
		b.extend() // a folder has files in it by now, most likely
	}
}

// sees asks about what lies below a root.
func (w *Watcher) sees(is func(string) bool, path string) (yes bool) {
	for _, root := range w.config.Roots {
		rel, err := filepath.Rel(root, path)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		first, _, below := strings.Cut(rel, string(filepath.Separator))
		if w.config.As == nil || !below {
			break
		}
		w.config.As(filepath.Join(root, first), func() { yes = is(path) })
		return yes
	}
	return is(path)
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// compare looks at everything, adds to b what has changed since the last time,
// and reports whether anything has.
func (w *Watcher) compare(b *burst) bool {
	now := w.look()
	changed := false
	now.difference(w.tree, func(file string) {
		changed = true
		b.add(file)
	})
	w.tree = now
	return changed
}

// look walks the roots and sees to it that exactly the folders found there are
// watched.
func (w *Watcher) look() *tree {
	for w.notify != nil {
		t, err := look(w.config.Roots, w.notify.Add, w.config.As)
		if err != nil {
			w.poll(err)
			break
		}
		// A watch belongs to a folder, not to its name. That of a folder which was
		// moved goes by the old one, until it is taken away and set anew.
		dropped := false
		for _, dir := range w.notify.WatchList() {
			if _, ok := t.folders[dir]; !ok {
				dropped = w.notify.Remove(dir) == nil || dropped
			}
		}
		if !dropped {
			return t
		}
	}
	t, _ := look(w.config.Roots, func(string) error { return nil }, w.config.As) // the only error is that function's
	return t
}

// poll goes on without the system's watches, which it has refused with err.
func (w *Watcher) poll(err error) {
	w.stopNotify()
	hint := ""
	switch {
	case errors.Is(err, syscall.ENOSPC):
		hint = "; sudo sysctl fs.inotify.max_user_watches=524288 raises the limit"
	case errors.Is(err, syscall.EMFILE):
		hint = "; sudo sysctl fs.inotify.max_user_instances=1024 raises the limit"
	}
	w.config.Log.Warn(fmt.Sprintf("the system refuses to watch files, so they are looked at every %v%s", w.config.Interval, hint), "error", err)
}

func (w *Watcher) stopNotify() {
	if w.notify != nil {
		_ = w.notify.Close() // nothing more is expected of it
		w.notify = nil
	}
}

var _ io.Closer = (*Watcher)(nil)
