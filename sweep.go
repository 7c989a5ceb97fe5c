package gatehouse

import "time"

// maxTick is the longest pause between two rounds of the sweeper: how late a
// time-out may be, and how long it takes until somebody looks whether the
// client of a request is still there.
const maxTick = 500 * time.Millisecond

const (
	// lingerTime is how long a connection that was answered for the last time
	// is read from, so that the client gets the answer before the reset that a
	// close with unread data means (RFC 9112 section 9.6).
	lingerTime = 5 * time.Second

	// moveAfter is how long a connection is idle before it moves to a new
	// goroutine: longer than people take between the clicks that load a page's
	// parts, so that busy connections do not pay for it.
	moveAfter = 5 * time.Second

	// quietPause is the least time between two calls of OnQuiet: giving memory
	// back is a full garbage collection.
	quietPause = 30 * time.Second

	// newGrace is how long Shutdown waits for the first request of a connection
	// that was just accepted: it is most probably on its way.
	newGrace = time.Second
)

// timeouts are the time-outs in force, in coarse time; 0 is none.
type timeouts struct {
	head, body, write, idle coarse
	tick                    time.Duration
}

// resolve gives a duration field its meaning: zero is the default, less is none.
func resolve(d, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return max(d, 0)
}

func newTimeouts(head, body, write, idle time.Duration) timeouts {
	tick := maxTick
	for _, d := range []time.Duration{head, body, write, idle} {
		if d > 0 {
			tick = min(tick, max(d/4, time.Millisecond))
		}
	}
	// The time of a mark is up to a tick old when it is made: wait a tick
	// longer, so that nobody is cut early.
	limit := func(d time.Duration) coarse {
		if d == 0 {
			return 0
		}
		return coarse((d + tick + time.Millisecond - 1) / time.Millisecond)
	}
	return timeouts{limit(head), limit(body), limit(write), limit(idle), tick}
}

// sweep winds the clock and looks after every connection, round by round, until
// none is left. One goroutine for all connections is what makes time-outs free:
// a deadline on each socket would be two timers to set for each request.
func (s *Server) sweep() {
	defer s.sweepers.Done()
	timer := time.NewTimer(s.limits.tick)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.woken:
		}
		now := s.clock.wind()
		more, quiet := s.sweepOnce()
		if quiet && s.OnQuiet != nil {
			s.OnQuiet()
		}
		if !more {
			return
		}
		// Be there when the second turns: Date depends on it.
		timer.Reset(min(s.limits.tick, now.Truncate(time.Second).Add(time.Second).Sub(now)))
	}
}

// sweepOnce looks after every connection once. It returns whether there were
// any (if not, the sweeper must end), and whether it is time for OnQuiet.
func (s *Server) sweepOnce() (more, quiet bool) {
	now, draining := s.clock.now(), s.draining.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		s.sweeping = false
		return false, false
	}
	asleep := true
	for c := range s.conns {
		if c.check(now, &s.limits, draining) != stateAsleep {
			asleep = false
		}
	}
	return true, s.calm(now, asleep)
}

// calm reports whether it is time for OnQuiet. s.mu is held.
func (s *Server) calm(now coarse, asleep bool) bool {
	if !asleep {
		s.busy = true
		return false
	}
	if !s.busy || s.quietAt != 0 && now-s.quietAt < coarse(quietPause/time.Millisecond) {
		return false
	}
	s.busy, s.quietAt = false, now
	return true
}

// check ends the wait of c if it has lasted too long. It returns the state in
// which it found c.
func (c *conn) check(now coarse, lim *timeouts, draining bool) connState {
	word := stateWord(c.word.Load())
	age := now - word.since()
	over := func(limit coarse) bool { return limit > 0 && age >= limit }
	// In every state: TLS writes also while it reads.
	if lim.write > 0 && c.sock.writes.overdue(now, lim.write) {
		c.sock.cutWrite()
	}
	switch word.state() {
	case stateHead:
		if over(lim.head) {
			c.cut(word)
		}
	case stateHandshake, stateNew:
		if over(lim.head) || draining && over(coarse(newGrace/time.Millisecond)) {
			c.cut(word)
		}
	case stateIdle, stateAsleep:
		switch {
		case over(lim.idle) || draining:
			c.cut(word)
		case word.state() == stateIdle && over(coarse(moveAfter/time.Millisecond)):
			c.interrupt(word, stateMoving)
		}
	case stateLinger:
		if over(coarse(lingerTime / time.Millisecond)) {
			c.cut(word)
		}
	case stateActive:
		if lim.body > 0 && c.sock.reads.overdue(now, lim.body) {
			c.sock.cutRead()
		}
		c.watch.begin()
	}
	return word.state()
}

// cut ends c's wait for good.
func (c *conn) cut(word stateWord) { c.interrupt(word, stateCut) }

// interrupt ends c's wait and moves it to next, unless the wait has ended by
// itself since word was read.
func (c *conn) interrupt(word stateWord, next connState) {
	c.cutting.Lock()
	defer c.cutting.Unlock()
	if c.word.CompareAndSwap(uint64(word), uint64(newStateWord(next, word.since()))) {
		_ = c.rwc.SetReadDeadline(longAgo) // fails on a closed connection only
		if word.state() == stateHandshake {
			c.sock.cutWrite() // a handshake waits in writes as well
		}
	}
}
