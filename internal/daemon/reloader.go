package daemon

import (
	"context"
	"strings"
	"time"
)

// reload reloads s once and says how it went.
func (d *daemon) reload(ctx context.Context, s site) {
	begun := time.Now()
	restart, err := s.reload(ctx)
	if err == nil {
		d.screen.line("reloaded", "in %s", seconds(time.Since(begun)))
		if len(restart) > 0 {
			d.screen.line("warning", "changed, but needs a restart: %s", strings.Join(restart, ", "))
		}
		d.warn(s)
		return
	}
	if ctx.Err() != nil {
		return // we are ending; nobody wants to know
	}
	d.screen.failure(err)
	d.screen.line("", "%s", s.fallback())
}
