package daemon

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/internal/turnstile"
)

// accessLogs are the access log, and those that a reload has replaced: each is
// closed when the last request that is to be written there is done. Safe for
// concurrent use. Whoever makes one closes it.
type accessLogs struct {
	log     *slog.Logger
	current atomic.Pointer[countedLog] // nil if requests are not logged
	over    chan struct{}              // closed by close
	once    sync.Once
	drains  sync.WaitGroup // of logs that were replaced

	mu     sync.Mutex
	open   []*countedLog // the current one, and those that were replaced
	past   totals        // of those that are closed
	logged bool          // there was one
}

// countedLog is an access log and who writes there.
type countedLog struct {
	*accesslog.Log
	*turnstile.Turnstile
	done chan struct{} // closed when it is closed because a reload has replaced it
}

// totals are what was logged: requests, and bytes of answers.
type totals struct{ requests, bytes int64 }

func (t *totals) add(l *countedLog) {
	requests, bytes := l.Totals()
	t.requests, t.bytes = t.requests+requests, t.bytes+bytes
}

func newAccessLogs(log *slog.Logger) *accessLogs {
	return &accessLogs{log: log, over: make(chan struct{})}
}

// use has requests written to l from now on, nowhere if it is nil. Once all that
// finds its log here does so, retire closes the one before as soon as it may be.
func (a *accessLogs) use(l *accesslog.Log) (retire func()) {
	var next *countedLog
	a.mu.Lock()
	if l != nil {
		next = &countedLog{l, turnstile.New(), make(chan struct{})}
		a.open, a.logged = append(a.open, next), true
	}
	old := a.current.Swap(next)
	a.mu.Unlock()
	if old == nil {
		return func() {}
	}
	return func() {
		old.Shut()
		a.drains.Go(func() {
			select {
			case <-old.Empty():
				a.finish(old)
			case <-a.over: // close closes it
			}
		})
	}
}

// finish closes a log that nobody writes to any more.
func (a *accessLogs) finish(l *countedLog) {
	defer close(l.done)
	a.closeLog(l)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.past.add(l)
	a.open = slices.DeleteFunc(a.open, func(o *countedLog) bool { return o == l })
}

func (a *accessLogs) closeLog(l *countedLog) {
	if err := l.Close(); err != nil {
		a.log.Error("access log", "err", err)
	}
}

// add writes a request that no handler sees.
func (a *accessLogs) add(e *accesslog.Entry) {
	for l := a.current.Load(); l != nil; l = a.current.Load() {
		if l.Enter() {
			defer l.Exit()
			l.Add(e)
			return
		}
	}
}

// close writes out what waits, of all of them. What comes later is counted, and
// written nowhere.
func (a *accessLogs) close() {
	a.once.Do(func() { close(a.over) })
	a.drains.Wait()
	a.mu.Lock()
	open := slices.Clone(a.open)
	a.mu.Unlock()
	for _, l := range open {
		a.closeLog(l)
	}
}

// totals are those of all of them; false if there was never one.
func (a *accessLogs) totals() (totals, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.past
	for _, l := range a.open {
		all.add(l)
	}
	return all, a.logged
}

// reopen goes on in a new file of the same name.
func (a *accessLogs) reopen() (bool, error) {
	l := a.current.Load()
	if l == nil {
		return false, nil
	}
	return true, l.Reopen()
}

// counted is all that answers requests as long as they are written to one log. A
// request that has found it too late is for what has taken its place.
type counted struct {
	log  *countedLog
	next http.Handler
	now  *atomic.Pointer[http.Handler]
}

// ServeHTTP implements http.Handler.
func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.log.Enter() {
		(*c.now.Load()).ServeHTTP(w, r)
		return
	}
	defer c.log.Exit()
	c.next.ServeHTTP(w, r)
}

var _ http.Handler = (*counted)(nil)
