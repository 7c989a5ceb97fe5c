package daemon

import (
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/turnstile"
)

// version is a pool and the requests that are on their way through it. The table
// of routes leads to a version; when another takes its place, the old one may be
// closed only after everybody who found it in the old table has left.
type version struct {
	*turnstile.Turnstile
	pool    pool
	replace func() *version // what has taken its place, for who comes too late; nil if nothing has
}

func newVersion(p pool, current func() *version) *version {
	return &version{Turnstile: turnstile.New(), pool: p, replace: current}
}

// ServeHTTP implements http.Handler.
func (v *version) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for !v.Enter() {
		if v = v.replace(); v == nil {
			errorpage.Unavailable(w, r)
			return
		}
	}
	defer v.Exit()
	v.pool.ServeHTTP(w, r)
}

var _ http.Handler = (*version)(nil)
