package gatehouse

import (
	"io"
	"sync"
	"time"
)

// coalesceBelow is up to which size pieces are copied together where the
// connection takes only one at a time: a TLS record holds as much.
const coalesceBelow = 16 << 10

// lateAfter is how long the answers to pipelined requests may wait for the one
// that is being made, to leave in one system call with it.
const lateAfter = 2 * time.Millisecond

// output is the sending side of a connection: what was written and not sent
// yet. Its methods are for one goroutine at a time.
//
// Answers are not sent when they are complete, but before the connection waits
// for the next request. So the answers to requests that arrived together leave
// together. While a handler runs, a timer sees to it that earlier answers do not
// wait for it long: see holdBack.
type output struct {
	w      io.Writer  // the TLS connection, or sock
	sock   *transport // where w is a socket that takes several pieces, else nil
	lender *buffers
	buf    *buffer // nil when nothing waits
	kept   int     // how much of buf is of earlier, complete answers

	held  bool // the timer may take what waits
	late  sync.Mutex
	timer *time.Timer
	early *buffer // what waits while held; guarded by late
	err   error   // of the first write that failed, after which there are none; guarded by late while held
}

// holdBack lets the timer send what waits, all of it complete answers, unless
// something is written before.
func (o *output) holdBack() {
	o.kept = 0
	if o.buf == nil {
		return
	}
	o.late.Lock()
	defer o.late.Unlock()
	o.held, o.early, o.buf = true, o.buf, nil
	if o.timer == nil {
		o.timer = time.AfterFunc(lateAfter, o.sendEarly)
		return
	}
	o.timer.Reset(lateAfter)
}

// sendEarly is what the timer does.
func (o *output) sendEarly() {
	o.late.Lock()
	defer o.late.Unlock()
	if o.early == nil {
		return // the timer lost the race
	}
	_, o.err = o.write(o.early.b, nil, nil)
	o.lender.put(o.early)
	o.early = nil
}

// reclaim takes back what the timer has not sent.
func (o *output) reclaim() {
	if !o.held {
		return
	}
	o.held = false
	o.timer.Stop()
	o.late.Lock()
	defer o.late.Unlock()
	if o.early != nil {
		o.buf, o.early = o.early, nil
		o.kept = len(o.buf.b)
	}
}

// next is the buffer whose end is what goes to the client next.
func (o *output) next() *buffer {
	o.reclaim()
	if o.buf == nil {
		o.buf = o.lender.get()
	}
	return o.buf
}

// takeBack drops what was written after holdBack and not sent yet.
func (o *output) takeBack() {
	o.reclaim()
	if o.buf != nil {
		o.buf.b = o.buf.b[:o.kept]
	}
}

// release drops all that waits and gives the buffer back.
func (o *output) release() {
	o.reclaim()
	o.drop()
}

func (o *output) drop() {
	if o.buf != nil {
		o.lender.put(o.buf)
		o.buf = nil
	}
	o.kept = 0
}

// flush sends what waits.
func (o *output) flush() error {
	if o.buf == nil && !o.held {
		return nil
	}
	_, err := o.send(nil, nil)
	return err
}

// send sends what waits, then p and q, with one system call if it can be done.
// n counts the bytes of p and q.
func (o *output) send(p, q []byte) (n int, err error) {
	o.reclaim()
	if o.err != nil {
		return 0, o.err
	}
	var head []byte
	if o.buf != nil {
		head = o.buf.b
	}
	before := len(head)
	if before+len(p)+len(q) == 0 {
		return 0, nil
	}
	n, err = o.write(head, p, q)
	o.err = err // what would follow a gap must not be sent
	o.drop()
	return max(n-before, 0), err
}

// write writes three pieces. n counts the bytes of all.
func (o *output) write(head, p, q []byte) (n int, err error) {
	if o.sock != nil {
		return o.sock.raw.write(head, p, q)
	}
	if len(head) > 0 && len(head)+len(p)+len(q) <= coalesceBelow {
		head = append(append(head, p...), q...)
		p, q = nil, nil
	}
	for _, piece := range [][]byte{head, p, q} {
		if len(piece) == 0 {
			continue
		}
		k, err := o.w.Write(piece)
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
