package daemon

import (
	"sync"
	"sync/atomic"
)

// gate counts the requests inside of something that will be replaced. It may be
// closed only after everybody who has found it has left.
type gate struct {
	inside atomic.Int64 // requests; from leaving on, less by retired
	once   sync.Once
	empty  chan struct{} // closed when it is left and nobody is inside any more
}

// retired is more than requests can be inside.
const retired = 1 << 40

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter reports whether what is behind the gate may be used, until exit.
func (g *gate) enter() bool {
	if g.inside.Add(1) > 0 {
		return true
	}
	g.exit()
	return false
}

func (g *gate) exit() {
	if g.inside.Add(-1) == -retired {
		g.once.Do(func() { close(g.empty) })
	}
}

// leave lets nobody in any more. Something else must have taken its place.
func (g *gate) leave() {
	if g.inside.Add(-retired) == -retired {
		g.once.Do(func() { close(g.empty) })
	}
}
