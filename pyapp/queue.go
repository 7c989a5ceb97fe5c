package pyapp

import (
	"slices"
	"time"
)

// A dispatch is a call and the lane that was picked for it at that time; the
// lane's load counts it already.
type dispatch struct {
	lane *lane
	call *call
	at   time.Time
}

// submit gives the call to a worker or to the queue, or fails it.
func (p *Pool) submit(c *call) {
	c.refs.Add(1)
	p.mu.Lock()
	var l *lane
	var err error
	if !p.closing && len(p.queue) == 0 {
		l = p.pick(c)
	}
	if l != nil {
		l.assign(c, c.arrived)
	} else {
		err = p.enqueue(c)
	}
	urgent := l != nil && l.load.depth > 1
	p.mu.Unlock()
	p.sweeper.wake(urgent)
	switch {
	case err != nil:
		c.fail(err)
		c.release()
	case l != nil:
		p.send(l, []*call{c}, c.arrived, together)
	}
}

// enqueue has the call wait for a lane, if it may. p.mu is held.
func (p *Pool) enqueue(c *call) error {
	switch {
	case p.closing, p.isDown():
		return errDown
	case p.isFull():
		// Clients that have left meanwhile must not keep others out.
		p.queue = slices.DeleteFunc(p.queue, func(c *call) bool {
			over := c.over()
			if over {
				c.release()
			}
			return over
		})
		if p.isFull() {
			return errBusy
		}
	}
	p.queue = append(p.queue, c)
	return nil
}

// isDown reports whether no worker takes requests, nor will one soon. p.mu is
// held.
func (p *Pool) isDown() bool { return len(p.lanes) == 0 && p.current != nil && p.current.loops() }

// overloaded reports whether a request would be refused if it came now, so that
// its body need not be taken in.
func (p *Pool) overloaded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isFull()
}

// isFull reports whether as many calls wait as may. What counts is the number of
// workers there can be: a burst waits for those that are started for it. p.mu is
// held.
func (p *Pool) isFull() bool { return len(p.queue) >= p.config.QueuePerWorker*p.config.MaxWorkers }

// resubmit gives calls that no worker has begun to other workers.
func (p *Pool) resubmit(calls []*call) {
	if len(calls) == 0 {
		return
	}
	p.mu.Lock()
	sends := p.requeue(calls)
	p.mu.Unlock()
	p.sendAll(sends)
}

// requeue puts calls back that were on a lane, and is dispatch in the rest. They
// go before all that wait, since they came earlier, and are never refused. p.mu
// is held.
func (p *Pool) requeue(calls []*call) []dispatch {
	p.queue = slices.Concat(calls, p.queue)
	return p.dispatch()
}

// dispatch assigns waiting calls to lanes as long as there is room. p.mu is
// held; the caller gives the result to sendAll after unlocking it.
func (p *Pool) dispatch() (sends []dispatch) {
	now := time.Now()
	for c := p.first(); c != nil; c = p.first() {
		l := p.pick(c)
		if l == nil {
			break
		}
		l.assign(c, now)
		sends = append(sends, dispatch{l, c, now})
		p.shift()
	}
	return sends
}

// first returns the call that has waited longest, nil if none waits. Those that
// were given up meanwhile are dropped. p.mu is held.
func (p *Pool) first() *call {
	for len(p.queue) > 0 {
		c := p.queue[0]
		if !c.over() {
			return c
		}
		p.shift()
		c.release()
	}
	return nil
}

// shift takes the first call off the queue. p.mu is held.
func (p *Pool) shift() {
	p.queue[0] = nil
	p.queue = p.queue[1:]
	p.noteEmpty()
}

func (p *Pool) sendAll(sends []dispatch) {
	for _, d := range sends {
		p.send(d.lane, []*call{d.call}, d.at, together)
	}
}

// send gives calls to the lane that was picked for them. If its worker has just
// died, another one is looked for: nobody has begun them.
func (p *Pool) send(l *lane, calls []*call, now time.Time, when haste) {
	if !l.send(calls, now, when) {
		p.resubmit(calls)
	}
}

// ahead is for how long calls may be expected to wait at a lane. p.mu is held.
func (p *Pool) ahead() time.Duration { return ahead / time.Duration(max(1, len(p.lanes))) }

// pick returns the lane with the least to do of those that have room for c, nil
// if none has. p.mu is held.
func (p *Pool) pick(c *call) *lane {
	var best *lane
	wait := p.ahead()
	for _, l := range p.lanes {
		if l.load.isIdle() {
			return l
		}
		if l.load.room(c, wait) && (best == nil || l.load.depth < best.load.depth) {
			best = l
		}
	}
	return best
}

// assign counts the call as one of the lane's. Pool.mu is held.
func (l *lane) assign(c *call, now time.Time) {
	l.load.add(c, now)
	if l.worker.state == Ready {
		l.worker.move(Busy)
	}
}

// finished notes that a lane is done with n calls, and sends it what waits.
func (p *Pool) finished(l *lane, n int, now time.Time) {
	var next [maxDepth]*call
	k := 0
	p.mu.Lock()
	l.load.done(n, now)
	l.load.silent = time.Time{}
	l.worker.served += n
	if l.worker.enlisted && l.worker.takesCalls() {
		for c := p.first(); c != nil && k < len(next) && l.load.room(c, p.ahead()); c = p.first() {
			next[k] = c
			l.load.add(c, now)
			k++
			p.shift()
		}
	}
	if l.load.depth == 0 {
		l.worker.rest()
		p.noteEmpty()
	}
	p.mu.Unlock()
	if k > 0 {
		p.send(l, next[:k], now, atOnce)
	}
}
