// Package turnstile counts who is inside of something that is to be closed when
// everybody has left, and lets nobody in any more once it is told to.
package turnstile

import (
	"sync"
	"sync/atomic"
)

// Turnstile counts. Its methods are safe for concurrent use and do not block.
// Made by New.
type Turnstile struct {
	inside atomic.Int64 // from Shut on less by shut
	once   sync.Once
	empty  chan struct{}
}

// shut is more than can be inside.
const shut = 1 << 40

// New returns a turnstile that lets everybody in.
func New() *Turnstile { return &Turnstile{empty: make(chan struct{})} }

// Enter reports whether the caller may go in; then it calls Exit in the end.
func (t *Turnstile) Enter() bool {
	if t.inside.Add(1) > 0 {
		return true
	}
	t.Exit()
	return false
}

// Exit takes back what Enter has allowed.
func (t *Turnstile) Exit() {
	if t.inside.Add(-1) == -shut {
		t.once.Do(func() { close(t.empty) })
	}
}

// Shut lets nobody in any more. It is called once.
func (t *Turnstile) Shut() {
	if t.inside.Add(-shut) == -shut {
		t.once.Do(func() { close(t.empty) })
	}
}

// Empty is closed when it is shut and nobody is inside any more.
func (t *Turnstile) Empty() <-chan struct{} { return t.empty }

// Inside is how many are inside now.
func (t *Turnstile) Inside() int {
	n := t.inside.Load()
	if n < 0 {
		n += shut
	}
	return int(n)
}
