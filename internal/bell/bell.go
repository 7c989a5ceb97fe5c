// Package bell tells whoever listens that something has changed, and not what:
// they look themselves.
package bell

import "sync"

// Bell has listeners. The zero value has none yet. Its methods are safe for
// concurrent use and do not block.
type Bell struct {
	mu        sync.Mutex
	listeners map[chan struct{}]bool
}

// Subscribe returns a channel that gets a token when the bell is rung, one for
// several times that nobody has looked yet. stop ends it.
func (b *Bell) Subscribe() (rung <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[chan struct{}]bool{}
	}
	b.listeners[c] = true
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, c)
	}
}

// Ring tells everybody who listens.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.listeners {
		select {
		case c <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}
