package testserver

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// Log keeps what was logged. The zero value is empty; its methods may be called
// concurrently.
type Log struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed by the next Write; nil if nobody waits for it
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return l.buf.Write(p)
}

// String is everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// look is everything logged so far, and a channel that is closed when there is
// more.
func (l *Log) look() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.buf.String(), l.changed
}

// Wait returns once the log holds part, and fails the test if it does not in
// time: a server may log after the client has seen the connection close.
func (l *Log) Wait(t testing.TB, part string) {
	t.Helper()
	l.await(t, []string{part}, func(text string) bool { return strings.Contains(text, part) })
}

// Line waits like Wait for a line that holds all the parts, and returns it.
func (l *Log) Line(t testing.TB, parts ...string) (found string) {
	t.Helper()
	l.await(t, parts, func(text string) bool {
		for line := range strings.Lines(text) {
			if containsAll(line, parts) {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

func (l *Log) await(t testing.TB, parts []string, ok func(text string) bool) {
	t.Helper()
	timeout, stop := patience()
	defer stop()
	for {
		text, changed := l.look()
		if ok(text) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("log never held %q; it holds:\n%s", parts, text)
		}
	}
}
