package pyapp

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// How old a request is when something is done about it.
const (
	// takeBackAge: what waits behind it in the lane is taken back if another lane
	// is idle.
	takeBackAge = 2 * time.Millisecond
	// heldUpAge: what waits behind it is taken back into the queue in any case,
	// where the bounds of waiting hold and more workers are started for it.
	heldUpAge = 20 * time.Millisecond
	// silentAge: if the worker has not even begun it, another one gets it.
	silentAge = 250 * time.Millisecond
	// watchAge: its client is watched for leaving.
	watchAge = 100 * time.Millisecond
	// grace is how long an interrupted request may take to come back before its
	// process is ended.
	grace = 2 * time.Second
	// exitWait is how long a process that is to end and has nothing left to do
	// may take: threads of the application's, or what it runs at its end, would
	// keep it for ever.
	exitWait = 5 * time.Second
)

// A sweeper looks at the requests under way from time to time, so that a fast
// request needs no timer of its own. It rests while there are none.
type sweeper struct {
	pool *Pool
	pace atomic.Int32
	poke chan struct{}
}

// The paces of a sweeper.
const (
	resting  int32 = iota
	watching       // something may change without requests: memory, what idles
	slowly         // requests are under way
	briskly        // answers may lie in an outbox
	fast           // requests wait that could run elsewhere
)

// pause is the time between two sweeps.
var pauses = [...]time.Duration{resting: time.Hour, watching: time.Second, slowly: 50 * time.Millisecond, briskly: 10 * time.Millisecond, fast: 2 * time.Millisecond}

// linger is how long a sweeper goes on after the last request, so that it need
// not be woken for every one.
const linger = time.Second

func (s *sweeper) init(p *Pool) { s.pool, s.poke = p, make(chan struct{}, 1) }

// wake makes sure that the sweeper is about, fast if it is urgent.
func (s *sweeper) wake(urgent bool) {
	need := slowly
	if urgent {
		need = briskly
	}
	if s.pace.Load() >= need {
		return
	}
	select {
	case s.poke <- struct{}{}:
	default: // it has been told
	}
}

// run sweeps until the pool's context ends.
func (s *sweeper) run() {
	var last time.Time // when there was something to do
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		pace := s.pool.sweep(s.pool.ctx, now)
		switch {
		case pace >= slowly:
			last = now
		case now.Sub(last) < linger:
			pace = slowly
		case s.pace.Load() > pace:
			// A request may have come since and seen that we are about. Say that
			// we are not, and look once more.
			s.pace.Store(pace)
			continue
		}
		s.pace.Store(pace)
		timer.Reset(pauses[pace])
		select {
		case <-s.poke:
		case <-timer.C:
		case <-s.pool.ctx.Done():
			return
		}
	}
}

// sweep looks at every request once and returns the pace that they need.
func (p *Pool) sweep(ctx context.Context, now time.Time) int32 {
	var expired, long []*call
	var busy []*lane
	var stuck, mute, grown []*worker
	p.mu.Lock()
	fitting, pace := p.fit(now)
	deep := false // whether a lane has more than one request
	// What came before anybody knew of a crash loop is refused with it.
	down := p.isDown()
	for len(p.queue) > 0 && (down || p.config.QueueWait >= 0 && now.Sub(p.queue[0].arrived) > p.config.QueueWait) {
		expired = append(expired, p.queue[0])
		p.shift()
	}
	for _, c := range p.queue {
		pace = max(pace, slowly)
		if now.Sub(c.arrived) > watchAge && !c.watch.client {
			c.watch.client = true
			c.refs.Add(1)
			long = append(long, c)
		}
	}
	for _, w := range p.workers {
		if w.mustLook(now) {
			grown = append(grown, w)
		}
		if w.state == Draining {
			pace = max(pace, slowly)
			if w.idle() && now.Sub(w.restsSince()) > p.timing.exitWait && !w.pushed {
				w.pushed = true
				stuck = append(stuck, w)
			}
		}
		for _, l := range w.lanes {
			if silent := l.load.silent; !silent.IsZero() {
				pace = max(pace, slowly)
				if p.config.Timeout > 0 && now.Sub(silent) > p.config.Timeout && w.reason == Running {
					mute = append(mute, w)
				}
			}
			if l.load.depth == 0 {
				continue
			}
			busy = append(busy, l)
			deep = deep || l.load.depth > 1
			pace = max(pace, slowly)
		}
	}
	// Whether what waits behind a slow request would run at once elsewhere.
	others := slices.ContainsFunc(p.lanes, func(l *lane) bool { return l.load.isIdle() })
	switch {
	case deep && others:
		pace = fast
	case deep:
		pace = max(pace, briskly)
	}
	p.mu.Unlock()
	for _, c := range expired {
		if down {
			c.fail(errDown)
		} else {
			c.fail(errWaited)
		}
		c.release()
	}
	for _, c := range long {
		c.watchClient()
		c.release()
	}
	for _, l := range busy {
		l.sweep(now, others)
	}
	for _, w := range stuck {
		p.log.Warn("a worker does not end by itself; a thread of the application or what runs at its end keeps it",
			"worker", w.number, "pid", w.child.PID(), "waited", p.timing.exitWait)
		w.kill(Crash) // it has a reason already
	}
	for _, w := range mute {
		p.log.Error("a worker does not begin what it is sent", "worker", w.number, "pid", w.child.PID(), "waited", p.config.Timeout)
		w.kill(TimedOut)
	}
	for _, w := range grown {
		w.look()
	}
	if w := fitting.surplus; w != nil {
		p.log.Info("a worker has idled long enough, and is ended", "worker", w.number, "pid", w.child.PID())
		w.drain(Surplus)
	}
	if fitting.recovered {
		p.log.Info("the application is out of its crash loop")
	}
	return pace
}

// A watch is what the sweeper has done about a call.
type watch struct {
	client  bool          // its client is watched
	stack   stackStep     // how far asking for its stack has come
	asked   time.Time     // when the last step of that was
	overdue time.Time     // when it was interrupted
	looked  time.Time     // when it was last seen, if its body is still coming in
	excused time.Duration // how long the client was waited for until then
}

// sweep looks at the request that the lane is running. others tells whether
// another lane is idle.
func (l *lane) sweep(now time.Time, others bool) {
	l.collect(now)
	l.mu.Lock()
	if l.closed || len(l.calls) == 0 {
		l.mu.Unlock()
		return
	}
	c, since, behind, recalling := l.calls[0], l.since, len(l.calls) > 1, !l.recall.asked.IsZero()
	c.refs.Add(1) // the worker may be done with it at any time
	l.mu.Unlock()
	defer c.release()

	age := now.Sub(since)
	silent := age > silentAge && !c.pinned && l.worker.pool.hush(l, c, now)
	if silent || recalling || behind && (others && age > takeBackAge || age > heldUpAge) {
		l.worker.pool.returned(l, l.takeBack(now, silent), age)
	}
	if age > watchAge && !c.watch.client {
		c.watch.client = true
		c.watchClient()
	}
	age -= c.excuse(now, since)
	config := &l.worker.pool.config
	if config.Slow > 0 && age > config.Slow {
		l.reportSlow(c, now, age)
	}
	switch err := c.tooLong(config, now, age); {
	case !c.watch.overdue.IsZero():
		if now.Sub(c.watch.overdue) > grace && l.worker.onlyOverdue() {
			l.worker.kill(TimedOut)
		}
	case err != nil:
		c.watch.overdue = now
		c.logOverdue(l.worker, err, age)
		c.fail(err)
		l.interrupt(c)
	}
}

// excuse returns how much of the time that the call has run is the client's, who
// is slow to send the body, as far as looking now and then can tell.
func (c *call) excuse(now, since time.Time) time.Duration {
	if c.upload == nil {
		return 0
	}
	w := &c.watch
	if w.looked.Before(since) {
		w.looked, w.excused = since, 0
	}
	if c.upload.waits.Load() {
		w.excused += now.Sub(w.looked)
	}
	w.looked = now
	return w.excused
}

// tooLong returns why the call has to be given up, or nil.
func (c *call) tooLong(config *Config, now time.Time, age time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A client that left does not take the time-outs along: the application may
	// be stuck. What it does after a complete answer takes as long as it likes.
	headDue := c.phase == waiting || c.phase == answered && c.answer.err != nil
	bodyDue := c.answer.stream != nil
	switch {
	case headDue && config.Timeout > 0 && age > config.Timeout:
		return errOverdue
	case !bodyDue || config.StallTimeout < 0:
		return nil
	case c.phase == streaming && c.answer.stream.waitsForReader(), c.upload != nil && c.upload.waits.Load():
		c.moved = now // it is the client who is slow
		return nil
	case now.Sub(c.moved) > config.StallTimeout:
		return errStalled
	}
	return nil
}

// interrupt has the worker break off the request, take no more, and end when
// its other requests are done: a request that was broken off may have left a
// database connection in the middle of a conversation.
func (l *lane) interrupt(c *call) {
	w := l.worker
	l.mu.Lock()
	if !l.closed && slices.Contains(l.calls, c) {
		l.overdue.Store(uint64(c.number))
	}
	l.mu.Unlock()
	w.drain(TimedOut)
	if len(w.lanes) == 1 { // only the main thread can be interrupted
		_ = w.child.Signal(sigInterrupt) // it may have ended
	}
}

// onlyOverdue reports whether nothing runs in the worker but what is overdue.
func (w *worker) onlyOverdue() bool {
	for _, l := range w.lanes {
		l.mu.Lock()
		other := len(l.calls) > 0 && l.overdue.Load() != uint64(l.calls[0].number)
		l.mu.Unlock()
		if other {
			return false
		}
	}
	return true
}
