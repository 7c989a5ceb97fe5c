package daemon

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// version is a pool and the requests that are on their way through it. The table
// of routes leads to a version; when another takes its place, the old one may be
// closed only after everybody who found it in the old table has left.
type version struct {
	pool    pool
	replace func() *version // what has taken its place, for who comes too late

	inside atomic.Int64 // requests; from leaving on, less by retired
	once   sync.Once
	empty  chan struct{} // closed when it is left and nobody is inside any more
}

// retired is more than requests can be inside.
const retired = 1 << 40

func newVersion(p pool, current func() *version) *version {
	return &version{pool: p, replace: current, empty: make(chan struct{})}
}

// ServeHTTP implements http.Handler.
func (v *version) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for !v.enter() {
		v = v.replace()
	}
	defer v.exit()
	v.pool.ServeHTTP(w, r)
}

// enter reports whether the pool may be used, until exit.
func (v *version) enter() bool {
	if v.inside.Add(1) > 0 {
		return true
	}
	v.exit()
	return false
}

func (v *version) exit() {
	if v.inside.Add(-1) == -retired {
		v.once.Do(func() { close(v.empty) })
	}
}

// leave lets nobody in any more. Another version must have taken its place.
func (v *version) leave() {
	if v.inside.Add(-retired) == -retired {
		v.once.Do(func() { close(v.empty) })
	}
}

var _ http.Handler = (*version)(nil)
