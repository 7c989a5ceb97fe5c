package watch

import (
	"maps"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// Counts reports whether the file at path, slash-separated below a root, counts.
func Counts(path string) bool {
	a, rest := plain, path
	for {
		for i := range rest {
			if rest[i] == '/' {
				if skips(rest[:i]) {
					return false
				}
				a, rest = areaBelow(a, rest[:i]), rest[i+1:]
				break
			}
			if i == len(rest)-1 {
				return counts(a, rest)
			}
		}
	}
}

// OpenRefused is Open on a system that gives n watches and then fails with err;
// with n < 0 it gives no notifier at all.
func OpenRefused(c Config, n int, err error) (*Watcher, error) {
	return open(c, func() (notifier, error) {
		if n < 0 {
			return nil, err
		}
		s, failed := newSystem()
		return &refusing{notifier: s, left: n, err: err}, failed
	})
}

// refusing is a notifier that runs out of watches.
type refusing struct {
	notifier
	left int
	err  error
}

func (r *refusing) Add(dir string) error {
	if r.left == 0 {
		return r.err
	}
	r.left--
	return r.notifier.Add(dir)
}

// OpenOverrun is Open on a system that loses every event, and says so when
// lost is sent to.
func OpenOverrun(c Config, lost <-chan error) (*Watcher, error) {
	return open(c, func() (notifier, error) {
		s, err := newSystem()
		return &overrun{notifier: s, lost: lost}, err
	})
}

type overrun struct {
	notifier
	lost <-chan error
}

func (o *overrun) events() <-chan fsnotify.Event { return nil }
func (o *overrun) errors() <-chan error          { return o.lost }

// RuleNames are the endings and folders that the rules name.
func RuleNames() []string {
	var names []string
	for _, rules := range []map[string]bool{endings, templateEndings, templateFolders, publicFolders} {
		names = slices.AppendSeq(names, maps.Keys(rules))
	}
	return names
}
