package watch

import (
	"maps"
	"slices"
	"time"
)

// burst gathers what belongs to one save: it is over when nothing has happened
// for a while, or when it has lasted too long. It belongs to one goroutine.
type burst struct {
	quiet, maxWait time.Duration
	files          map[string]bool
	until          time.Time // when it must end; zero if there is none
	timer          *time.Timer
}

func newBurst(quiet, maxWait time.Duration) *burst {
	b := &burst{quiet: quiet, maxWait: maxWait, files: map[string]bool{}, timer: time.NewTimer(time.Hour)}
	b.timer.Stop()
	return b
}

// add notes a file. It does not prolong the burst.
func (b *burst) add(file string) { b.files[file] = true }

// extend begins the burst or prolongs it, and reports whether it goes on.
func (b *burst) extend() bool {
	now := time.Now()
	if b.until.IsZero() {
		b.until = now.Add(b.maxWait)
	}
	left := min(b.quiet, b.until.Sub(now))
	b.timer.Reset(max(left, 0))
	return left > 0
}

// over is ready when the burst is over.
func (b *burst) over() <-chan time.Time { return b.timer.C }

// end returns the burst's files, sorted, and makes ready for the next one.
func (b *burst) end() []string {
	b.timer.Stop()
	b.until = time.Time{}
	files := slices.Sorted(maps.Keys(b.files))
	clear(b.files)
	return files
}

func (b *burst) stop() { b.timer.Stop() }
