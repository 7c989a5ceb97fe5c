package daemon

import (
	"context"
	"strings"
	"sync"
	"time"
)

// reloader reloads a site, one time after the other, while the daemon stays
// able to hear signals.
type reloader struct {
	asked  chan struct{} // one token: once more
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newReloader(s site, d *daemon) *reloader {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reloader{asked: make(chan struct{}, 1), cancel: cancel}
	r.wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.asked:
				d.reload(ctx, s)
			}
		}
	})
	return r
}

// ask asks for a reload. Several wishes during one reload are one.
func (r *reloader) ask() {
	select {
	case r.asked <- struct{}{}:
	default:
	}
}

// wait breaks a reload off and waits for its end.
func (r *reloader) wait() {
	r.cancel()
	r.wg.Wait()
}

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
