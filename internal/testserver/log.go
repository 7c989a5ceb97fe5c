package testserver

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// Log keeps what a server logged. Its methods may be called concurrently.
type Log struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

func newLog() *Log { return &Log{changed: make(chan struct{})} }

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.buf.Write(p)
}

// String is everything logged so far.
func (l *Log) String() string {
	text, _ := l.look()
	return text
}

// look is everything logged so far, and a channel that is closed when there is
// more.
func (l *Log) look() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String(), l.changed
}

// Wait returns once the log holds part, and fails the test if it does not in
// time: a server may log after the client has seen the connection close.
func (l *Log) Wait(t testing.TB, part string) {
	t.Helper()
	timeout, stop := patience()
	defer stop()
	for {
		text, changed := l.look()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("log never held %q; it holds:\n%s", part, text)
		}
	}
}
