package pyapp

import (
	"fmt"
	"time"
)

// settle is how long a change of the epoch may take to be seen by the worker,
// and what it has begun by us: by far more than memory needs.
const settle = time.Millisecond

// A recall takes requests back that the worker has received, or will, and not
// begun. It has two steps. First the epoch in the page changes. From then on the
// worker begins nothing of the packets that it was sent before: it writes the
// number of a request into the page, and only then compares the epoch, so that
// either it sees the change or we see the number. When that has settled, what is
// behind the number in the page is ours again.
//
// The request at which the worker stops is the one for which both may be true:
// for this one it says that it has not begun it. It says so of the others in the
// packet as well: the number may have moved on to the next packet when we look.
type recall struct {
	epoch int32     // of packets that are sent now
	asked time.Time // when the epoch changed; zero unless a recall is under way
	upTo  uint64    // sequence number of the last request of the epoch before
}

// takeBack carries a recall one step further, if there is anything to take back:
// what waits behind the first call or, with all, that one as well. It returns
// calls that are no longer in flight.
func (l *lane) takeBack(now time.Time, all bool) []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.recall
	if r.asked.IsZero() {
		if l.closed || len(l.calls) < 2 && !all {
			return nil
		}
		r.epoch = (r.epoch + 1) & 0x7fffffff
		l.epoch.Store(uint64(r.epoch))
		r.asked, r.upTo = now, l.last-uint64(len(l.unsent))
		return nil
	}
	if now.Sub(r.asked) < settle {
		return nil
	}
	r.asked = time.Time{}
	if l.closed {
		return nil
	}
	begun := l.begun()
	kept := l.calls[:0]
	var back []*call
	for _, c := range l.calls {
		if begun < c.sequence && c.sequence <= r.upTo && !c.hasBegun() {
			back = append(back, c)
		} else {
			kept = append(kept, c)
		}
	}
	clear(l.calls[len(kept):])
	l.calls = kept
	return back
}

// takeUnbegun handles what the worker says of the request at which it stopped.
func (l *lane) takeUnbegun(number int32, now time.Time) error {
	l.mu.Lock()
	upTo := l.recall.upTo
	l.mu.Unlock()
	p := l.worker.pool
	c := l.find(number, true, now)
	p.heard(l) // once c is off the lane: see hush
	switch {
	case c == nil: // it has been taken back already
	case c.sequence <= upTo && !c.hasBegun():
		p.returned(l, []*call{c}, 0)
	default:
		c.fail(errNonsense)
		c.release()
		return fmt.Errorf("%w: request %d was not asked back", errFrame, number)
	}
	return nil
}

// returned puts calls that were taken back from a lane at the head of the queue:
// the one before them has been running for age.
func (p *Pool) returned(l *lane, calls []*call, age time.Duration) {
	if len(calls) == 0 {
		return
	}
	p.mu.Lock()
	l.load.returned(len(calls), age)
	if l.load.depth == 0 {
		l.worker.rest()
	}
	sends := p.requeue(calls)
	p.mu.Unlock()
	p.sendAll(sends)
}

// hush looks whether a lane has begun c, and reports whether it is silent: then it
// gets no more until it is heard.
func (p *Pool) hush(l *lane, c *call, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Under p.mu, so that the lane is heard after this: a call is taken off a lane
	// before that is noted.
	silent := l.holds(c)
	switch {
	case !silent:
		l.load.silent = time.Time{} // it has begun c, or said what became of it
	case l.load.silent.IsZero():
		l.load.silent = now
	}
	return silent
}

// heard notes that a silent lane has said something.
func (p *Pool) heard(l *lane) {
	p.mu.Lock()
	l.load.silent = time.Time{}
	sends := p.dispatch()
	p.mu.Unlock()
	p.sendAll(sends)
}
