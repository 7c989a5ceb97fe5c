package pyapp

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A call is one request on its way through the pool. The handler that made it
// and the lane that runs it each hold it until they are done.
type call struct {
	pool    *Pool
	refs    atomic.Int32
	packet  []byte // the request as it is sent
	body    *spool // the request's body, where it does not travel in packet
	method  string
	path    string
	id      string
	arrived time.Time

	// Guarded by the mutex of the lane that has the call.
	number int32

	// answered holds one token once answer can be read.
	answered chan struct{}

	mu     sync.Mutex
	phase  phase
	answer answer
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
	errNonsense = errors.New("the worker answered nonsense")
)

// newCall returns a call with an empty packet, held once.
func (p *Pool) newCall() *call {
	c, ok := p.calls.Get().(*call)
	if !ok {
		c = &call{pool: p, answered: make(chan struct{}, 1)}
	}
	c.refs.Store(1)
	c.arrived = time.Now()
	return c
}

// maxKept is the largest buffer that a call keeps for the next one.
const maxKept = 128 << 10

// release gives up one hold; the last one returns the call's memory.
func (c *call) release() {
	if c.refs.Add(-1) > 0 {
		return
	}
	if c.answer.stream != nil {
		c.answer.stream.close()
	}
	if c.body != nil {
		c.body.close()
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
	c.packet, c.body, c.number, c.phase = packet, nil, 0, waiting
	c.answer = answer{buf: buf}
	c.pool.calls.Put(c)
}

// fail answers the call with an error unless it is answered already; a body
// that is being streamed breaks off.
func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case waiting:
		c.answer.err = err
		c.phase = answered
		c.answered <- struct{}{}
	case streaming:
		c.answer.stream.finish(err)
		c.phase = answered
	}
}

// take handles a frame of the worker that runs the call. The error means that
// the worker broke the protocol.
func (c *call) take(f frame) error {
	if f.kind == frameBlock {
		return c.takeBlock(f.body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.kind == frameWhole && c.phase == waiting:
		c.answer.set(f)
		c.phase = answered
	case f.kind == frameHead && c.phase == waiting:
		body := f.body
		f.body = nil
		c.answer.set(f)
		c.answer.stream = c.pool.newSpool()
		c.phase = streaming
		if err := c.answer.stream.write(body); err != nil {
			return err
		}
	case f.kind == frameFailed:
		c.pool.logFailure(c, f)
		switch c.phase {
		case waiting:
			c.answer.err = errFailed
		case streaming:
			c.answer.stream.finish(errFailed)
			c.phase = answered
			return nil
		default:
			return nil
		}
		c.phase = answered
	case f.kind == frameEnd && c.phase != waiting:
		if c.phase == streaming {
			c.answer.stream.finish(nil)
			c.phase = answered
		}
		return nil
	case c.phase == answered:
		return nil // it was given up here, which the worker may not know yet
	default:
		return fmt.Errorf("%w: type %d out of turn", errFrame, f.kind)
	}
	c.answered <- struct{}{}
	return nil
}

// takeBlock stores a part of the body. It blocks while as much is stored for a
// slow client as may be.
func (c *call) takeBlock(p []byte) error {
	c.mu.Lock()
	phase, stream := c.phase, c.answer.stream
	c.mu.Unlock()
	switch phase {
	case waiting:
		return fmt.Errorf("%w: a body without a head", errFrame)
	case answered:
		return nil
	}
	return stream.write(p)
}

// set takes a copy of the frame's status, head and body.
func (a *answer) set(f frame) {
	a.status, a.head = f.status, len(f.head)
	a.buf = append(append(a.buf[:0], f.head...), f.body...)
}
