package gatehouse

import (
	"context"
	"net/http"
	"sync"
)

// requestContext is the context of one request. It costs nothing until somebody
// asks when it ends: from then on the client is watched (see watch).
type requestContext struct {
	context.Context // the connection's: values, deadline and end of the outside
	c               *conn

	mu     sync.Mutex
	asked  bool // Done, Err or AfterFunc was called: the watch may be on
	err    error
	done   chan struct{}
	after  map[*afterFunc]struct{}
	unhook func() bool // takes back the hook to the parent
}

// afterFunc is a function that waits for the end of the context.
type afterFunc struct{ f func() }

// Value implements context.Context.
func (x *requestContext) Value(key any) any {
	switch key {
	case http.ServerContextKey:
		return x.c.srv.emblem
	case http.LocalAddrContextKey:
		return x.c.rwc.LocalAddr()
	}
	return x.Context.Value(key)
}

// Done implements context.Context.
func (x *requestContext) Done() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ask()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.err != nil {
			close(x.done)
		}
	}
	return x.done
}

// Err implements context.Context.
func (x *requestContext) Err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ask()
	return x.err
}

// AfterFunc is what context.AfterFunc and the derived contexts of package
// context call: with it they need no goroutine.
func (x *requestContext) AfterFunc(f func()) (stop func() bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ask()
	if x.err != nil {
		go f() // as context.AfterFunc promises: in a goroutine of its own
		return func() bool { return false }
	}
	entry := &afterFunc{f}
	if x.after == nil {
		x.after = map[*afterFunc]struct{}{}
	}
	x.after[entry] = struct{}{}
	return func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		_, waiting := x.after[entry]
		delete(x.after, entry)
		return waiting
	}
}

// ask starts the watch over the client and over the parent. x.mu is held.
func (x *requestContext) ask() {
	if x.asked {
		return
	}
	x.asked = true
	if x.err != nil {
		return // over before somebody asked
	}
	if x.Context.Done() != nil {
		x.unhook = context.AfterFunc(x.Context, func() { x.cancel(x.Context.Err()) })
	}
	x.c.watch.want(x)
}

// finish ends the context because the request was answered. Nothing is spent if
// nobody asked.
func (x *requestContext) finish() { x.cancel(context.Canceled) }

// cancel ends the context with err, if it has not ended.
func (x *requestContext) cancel(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return
	}
	x.err = err
	if !x.asked {
		return
	}
	if x.done != nil {
		close(x.done)
	}
	for entry := range x.after {
		go entry.f()
	}
	x.after = nil
	if x.unhook != nil {
		x.unhook()
	}
}

var _ context.Context = (*requestContext)(nil)
