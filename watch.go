package gatehouse

import (
	"context"
	"sync"
	"sync/atomic"
)

// watch looks whether the client of a request is still there, for requests
// whose context somebody listens to. The only sign that a client left is the
// end of what it sends, so the watch reads: one byte, which stays in front of
// the next request if there is one after all.
//
// A watch is a goroutine and two changes of a deadline. The sweeper starts it
// with its next round, so the many requests that are answered by then never pay
// for it; a client that leaves earlier is noticed then.
type watch struct {
	c      *conn
	wanted atomic.Bool // ctx is set

	mu   sync.Mutex
	ctx  *requestContext // whose end is to be told
	held bool            // the request body was not read to its end: reading is its affair
	done chan struct{}   // of the goroutine that reads; nil if none does
	got  bool            // it has read a byte
	b    [1]byte
}

// want asks for x to be cancelled when the client leaves.
func (w *watch) want(x *requestContext) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx = x
	w.wanted.Store(true)
}

// hold keeps the watch from reading while a body is there to be read; release
// ends that.
func (w *watch) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = true
}

func (w *watch) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = false
}

// begin starts the goroutine that reads, where one is wanted.
func (w *watch) begin() {
	if !w.wanted.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil || w.held || w.done != nil || w.got {
		return
	}
	done := make(chan struct{})
	w.done = done
	go w.read(w.ctx, done)
}

// read waits for a byte or the end.
func (w *watch) read(x *requestContext, done chan<- struct{}) {
	defer close(done)
	n, err := w.c.in.src.Read(w.b[:])
	w.mu.Lock()
	stopped := w.ctx != x
	w.got = n > 0
	w.mu.Unlock()
	if err != nil && !stopped {
		x.cancel(context.Canceled)
	}
}

// end ends the watch with the request, or before somebody else takes over the
// connection. Its goroutine has ended when end returns.
func (w *watch) end() {
	if !w.wanted.Load() {
		return
	}
	w.mu.Lock()
	w.ctx = nil
	w.wanted.Store(false)
	done := w.done
	w.mu.Unlock()
	if done != nil {
		_ = w.c.rwc.SetReadDeadline(longAgo) // fails on a closed connection only
		<-done
		_ = w.c.rwc.SetReadDeadline(noDeadline)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = nil
	if w.got {
		w.got = false
		w.c.in.unread(w.b[:])
	}
}

// cancel tells that the connection is broken.
func (w *watch) cancel() {
	w.mu.Lock()
	x := w.ctx
	w.mu.Unlock()
	if x != nil {
		x.cancel(context.Canceled)
	}
}
