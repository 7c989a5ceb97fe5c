package pyapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A call is one request on its way through the pool. The handler that made it
// and the lane or queue that has it each hold it until they are done.
type call struct {
	pool     *Pool
	refs     atomic.Int32
	packet   []byte   // the request as it is sent
	body     *os.File // the request's body, if it does not travel in packet
	upload   *upload  // what fills body while the worker reads it; nil if body is complete
	heavy    bool     // nothing may be sent behind it
	pinned   bool     // it is for the worker it is sent to and for no other
	method   string
	path     string
	id       string
	ctx      context.Context // the request's; ask it for Done only when it matters
	arrived  time.Time       // when the request had been taken in
	answered chan struct{}   // holds a token when answer can be read, or hints

	sequence uint64 // on its lane; guarded by the lane's mutex, with number
	number   int32  // the same on the wire
	ends     int    // how many workers have ended with it before they began it
	watch    watch  // the sweeper's

	mu      sync.Mutex
	phase   phase
	answer  answer
	hints   hints
	moved   time.Time            // when the worker last sent something for it
	left    bool                 // the handler wants no more
	unwatch func() bool          // stops watching the client; nil if it is not watched
	slow    bool                 // reported as slow
	lane    atomic.Pointer[lane] // that has it or had it last
}

// phase is how far the answer to a call has come.
type phase uint8

const (
	waiting   phase = iota // no answer yet
	streaming              // head known, body in answer.stream
	answered               // all there, or given up
)

// answer is what the handler gives to the client.
type answer struct {
	status int
	buf    []byte // head and body; kept from call to call for its memory
	head   int    // length of the head in buf
	stream *spool // the body, if it was not there as a whole
	named  bool   // the body is the file that ends stream, or parts of it
	err    error  // there is no answer; see the errors below
}

// Why a call has no answer of the application.
var (
	errFailed   = errors.New("the application failed")
	errLost     = errors.New("the worker ended")
	errBusy     = errors.New("too many requests are waiting")
	errWaited   = errors.New("waited too long for a worker")
	errDown     = errors.New("the application is not running")
	errOverdue  = errors.New("the application took too long")
	errStalled  = errors.New("the application stopped in the middle of its answer")
	errUnsent   = errors.New("the request could not be handed over")
	errNonsense = errors.New("the worker answered nonsense")
	errGone     = errors.New("the client has gone")
)

// newCall returns a call that is held once.
func (p *Pool) newCall() *call {
	c, ok := p.calls.Get().(*call)
	if !ok {
		c = &call{pool: p, answered: make(chan struct{}, 1)}
	}
	c.refs.Store(1)
	return c
}

// maxKept is the largest buffer that a call keeps for the next one.
const maxKept = 128 << 10

// release gives up one hold; with the last one the call's memory is used again.
func (c *call) release() {
	if c.refs.Add(-1) > 0 {
		return
	}
	if c.answer.stream != nil {
		c.answer.stream.close()
	}
	if c.body != nil {
		c.body.Close()
	}
	select {
	case <-c.answered: // nobody read it
	default:
	}
	packet, buf := c.packet[:0], c.answer.buf[:0]
	if cap(packet) > maxKept {
		packet = nil
	}
	if cap(buf) > maxKept {
		buf = nil
	}
	c.packet, c.body, c.upload, c.heavy, c.pinned, c.ctx = packet, nil, nil, false, false, nil
	c.sequence, c.number, c.ends = 0, 0, 0
	c.phase, c.answer, c.watch = waiting, answer{buf: buf}, watch{}
	c.left, c.unwatch, c.slow = false, nil, false
	c.hints.reset()
	c.lane.Store(nil)
	c.pool.calls.Put(c)
}

// watchClient has the call fail when its client leaves. It is for calls that
// take long: a server may have to start a goroutine for it.
func (c *call) watchClient() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left || c.unwatch != nil {
		return
	}
	c.refs.Add(1)
	c.unwatch = context.AfterFunc(c.ctx, func() {
		c.abandon()
		c.release()
	})
}

// leave is called when the handler is done with the call, at whatever point:
// nobody wants what the worker may still send for it.
func (c *call) leave() {
	c.abandon()
	c.mu.Lock()
	c.left = true
	unwatch := c.unwatch
	c.mu.Unlock()
	if unwatch != nil && unwatch() {
		c.release()
	}
	c.release()
}

// fail ends the call with an error if it has not ended yet; a body that is
// being streamed breaks off. It reports whether it did.
func (c *call) fail(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case waiting:
		c.answer.err = err
		c.signal()
	case streaming:
		c.answer.stream.finish(err)
	case answered:
		return false
	}
	c.phase = answered
	return true
}

// signal tells the handler that there is something for it. c.mu is held.
func (c *call) signal() {
	select {
	case c.answered <- struct{}{}:
	default: // it has not looked since it was told
	}
}

// over reports whether nobody waits for more of the answer.
func (c *call) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == answered
}

// hasBegun reports whether a worker has sent something for the call that goes on,
// whatever it tells of where it is: no other worker can begin that again.
func (c *call) hasBegun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == streaming || c.hints.seen > 0
}

// take handles a frame of the worker that runs the call. The error means that
// the worker broke the protocol. It blocks while as much of a body is stored
// for a slow client as may be.
func (c *call) take(f frame, now time.Time) error {
	stream, err := c.note(f, now)
	if err != nil || stream == nil || len(f.body) == 0 {
		return err
	}
	if err := stream.write(f.body); err != nil {
		c.pool.log.Error("cannot store a response", "request", c.id, "error", err)
	}
	return nil
}

// note changes the call as the frame says. It returns the stream that the
// frame's body belongs to, if any.
func (c *call) note(f frame, now time.Time) (*spool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.kind {
	case frameWhole:
		if c.phase == waiting {
			c.answer.set(f)
			c.phase = answered
			c.signal()
			return nil, nil
		}
	case frameHead:
		if c.phase == waiting {
			c.answer.set(frame{status: f.status, head: f.head})
			c.answer.stream, c.answer.named = c.pool.newSpool(), f.flags&flagNamed != 0
			c.phase, c.moved = streaming, now
			c.signal()
			return c.answer.stream, nil
		}
	case frameHints:
		if c.phase == waiting {
			err := c.hints.add(f)
			c.signal()
			return nil, err
		}
	case frameBlock:
		if c.phase == streaming && !c.answer.named {
			c.moved = now
			return c.answer.stream, nil
		}
	case frameEnd:
		if c.phase == streaming {
			c.answer.stream.finish(nil)
			c.phase = answered
			return nil, nil
		}
	case frameFailed:
		e := newFailure(f)
		c.logFailure(e)
		switch c.phase {
		case waiting:
			c.answer.err = e
			c.signal()
		case streaming:
			c.answer.stream.finish(e)
		}
		c.phase = answered
		return nil, nil
	}
	if c.phase == answered {
		return nil, nil // given up here, which the worker may not know yet
	}
	return nil, fmt.Errorf("%w: type %d out of turn", errFrame, f.kind)
}

// takeFile ends the body with a part of a file, which it takes over.
func (c *call) takeFile(file *os.File, from, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case streaming:
		c.answer.stream.attach(file, from, size)
		return nil
	case answered:
		return file.Close()
	}
	file.Close()
	return fmt.Errorf("%w: a file without a head", errFrame)
}

// set takes a copy of the frame's status, head and body.
func (a *answer) set(f frame) {
	a.status, a.head = f.status, len(f.head)
	a.buf = append(append(a.buf[:0], f.head...), f.body...)
}

// logFailure writes what the application did wrong to the log.
func (c *call) logFailure(e *failure) {
	level, what := slog.LevelError, e.what()
	switch {
	case c.upload != nil && c.upload.broken.Load():
		level, what = slog.LevelInfo, "the application did not get the whole body of a request"
	case e.status == http.StatusNotFound:
		level = slog.LevelWarn
	}
	attrs := []any{"request", c.id, "method", c.method, "path", c.path, "error", e.sentence}
	if e.traceback != "" {
		attrs = append(attrs, "traceback", e.traceback)
	}
	c.pool.log.Log(context.Background(), level, what, attrs...)
}
