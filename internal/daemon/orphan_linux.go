package daemon

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// The first process of a container inherits whatever the application's
// processes leave behind, and nobody but the parent can take a process that has
// ended off the system's list: it would fill up.

// settle is how long a child has been dead when nobody else can be waiting for
// it. Children of our own are waited for as long as they live, and so are gone
// within milliseconds. It is how orphans are told from them without a list of
// all that any package starts, which would race with the starting.
const settle = 2 * time.Second

// isFirst reports whether orphans become this process's children.
func isFirst() bool { return os.Getpid() == 1 }

// reapOrphans reaps children that have been dead for that long, until ctx ends.
// Each is waited for by its number: a wait for any child would take away how our
// own ended from whoever wants to know.
func reapOrphans(ctx context.Context, settle time.Duration) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	since := map[deadChild]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
		case <-timer.C:
		}
		now := time.Now()
		still := map[deadChild]time.Time{}
		for _, c := range deadChildren() {
			seen, known := since[c]
			switch {
			case !known:
				still[c] = now
			case now.Sub(seen) < settle:
				still[c] = seen
			default:
				// Errors mean that it is gone; one that is not, because threads of it
				// live on, comes again.
				_, _ = syscall.Wait4(c.pid, nil, syscall.WNOHANG, nil)
			}
		}
		if since = still; len(since) > 0 {
			timer.Reset(settle)
		}
	}
}

// A deadChild is a process that has ended and is not reaped. Its start tells it
// from others that had or will have its number.
type deadChild struct {
	pid   int
	start string
}

// deadChildren returns what /proc tells of this process's; nothing where there
// is none.
func deadChildren() (found []deadChild) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is fine
	parent := strconv.Itoa(os.Getpid())
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		// pid (name) state ppid … start, the 22nd. The name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 20 || string(fields[0]) != "Z" || string(fields[1]) != parent {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, deadChild{pid, string(fields[19])})
		}
	}
	return found
}
