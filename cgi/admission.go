package cgi

import (
	"context"
	"sync/atomic"
	"time"
)

// An admission lets so many scripts run at the same time; the others queue.
type admission struct {
	slots   chan struct{} // holds a token for each running script
	waiting atomic.Int64
	queue   int64
	wait    time.Duration
}

func newAdmission(scripts, queue int, wait time.Duration) *admission {
	return &admission{slots: make(chan struct{}, scripts), queue: int64(max(queue, 0)), wait: wait}
}

// enter waits for a turn, which leave gives back. The error is a *failure. Those
// who wait are served in the order they came.
func (a *admission) enter(ctx context.Context, closing <-chan struct{}) error {
	select {
	case a.slots <- struct{}{}:
		return nil
	default:
	}
	defer a.waiting.Add(-1)
	if a.waiting.Add(1) > a.queue {
		return errBusy
	}
	var late <-chan time.Time // never, if there is no end to the wait
	if a.wait > 0 {
		timer := time.NewTimer(a.wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-late:
		return errWaited
	case <-ctx.Done():
		return errGone
	case <-closing:
		return errClosed
	}
}

func (a *admission) leave() { <-a.slots }
