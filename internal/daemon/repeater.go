package daemon

import (
	"context"
	"sync"
)

// repeater does something whenever it is asked to, one time after the other,
// while the daemon stays able to hear signals.
type repeater struct {
	asked  chan struct{} // one token: once more
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newRepeater(do func(context.Context)) *repeater {
	ctx, cancel := context.WithCancel(context.Background())
	r := &repeater{asked: make(chan struct{}, 1), cancel: cancel}
	r.wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.asked:
				do(ctx)
			}
		}
	})
	return r
}

// ask asks for it once more. Several wishes during one time are one.
func (r *repeater) ask() {
	select {
	case r.asked <- struct{}{}:
	default:
	}
}

// wait breaks off what is being done and waits for its end.
func (r *repeater) wait() {
	r.cancel()
	r.wg.Wait()
}
