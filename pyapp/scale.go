package pyapp

import "time"

// How the number of workers follows the load between Config.Workers and
// Config.MaxWorkers. The measure is how long requests wait: it is what visitors
// feel, and unlike a count of requests it needs no knowledge of how long they
// take.
const (
	// growWait is how long the oldest request has waited when one more worker is
	// started. A start from the template takes up to 30 ms: for a shorter wait the
	// new worker would come too late. Above 100 ms people notice.
	growWait = 50 * time.Millisecond
	// growPause is the least time from one such start to the next. What waits has
	// gone to the first one by then if that was enough.
	growPause = 100 * time.Millisecond
	// idleSurplus is how long a worker above the least number has idled when it is
	// ended. It is long beside the pauses between bursts, so that these do not
	// start and end workers in turn: one that idles costs memory only.
	idleSurplus = 60 * time.Second
)

// A fitting is what the sweeper has to do so that workers fit the load.
type fitting struct {
	surplus   *worker // to be ended
	recovered bool    // the crash loop is over: say so
}

// fit orders workers as the load wants them, and replacements for those that
// have run or grown enough. It returns what remains to be done once p.mu, which
// is held, is free, and the pace at which it has to look again.
func (p *Pool) fit(now time.Time) (f fitting, pace int32) {
	g := p.current
	if g == nil || p.closing {
		return f, resting
	}
	if p.limitsMemory() {
		pace = watching
	}
	up := 0
	var idlest *worker
	var idle time.Duration
	for _, w := range p.workers {
		if w.gen != g || !w.enlisted || !w.takesCalls() {
			continue
		}
		up++
		if d := now.Sub(w.restsSince()); w.state == Ready && (idlest == nil || d > idle) {
			idlest, idle = w, d
		}
		reason := w.due(now)
		if reason == Running {
			continue
		}
		pace = watching // its turn may come when there are no requests any more
		if g.renewing == nil && now.After(g.renewFrom) {
			g.renewing = w
			w.renew <- reason // there is room: it comes once at a time
		}
	}
	switch {
	case g.mayGrow(now, up):
		select {
		case g.more <- struct{}{}:
			g.slots++
			g.growFrom = now.Add(growPause)
		default: // it has been told
		}
	case g.slots > p.config.Workers:
		pace = watching
		if up > p.config.Workers && idlest != nil && idle > p.timing.surplus && idlest != g.renewing {
			f.surplus = idlest
		}
	}
	f.recovered = g.recovers()
	return f, pace
}

// mayGrow reports whether requests wait that one more worker would serve. up is
// how many take requests: as long as one is missing, whether it is being started
// or keeps crashing, the queue says nothing about their number. Pool.mu is held.
func (g *generation) mayGrow(now time.Time, up int) bool {
	p := g.pool
	return len(p.queue) > 0 && now.Sub(p.queue[0].arrived) > growWait &&
		g.slots < p.config.MaxWorkers && up == g.slots && now.After(g.growFrom)
}

// due returns why the worker has to be replaced, Running if it has not. Pool.mu
// is held.
func (w *worker) due(now time.Time) Reason {
	soft := w.pool.config.MemorySoft
	switch {
	case w.quota > 0 && w.served >= w.quota:
		return Recycled
	case soft > 0 && w.memory > soft && now.Sub(w.born) > w.pool.timing.stable:
		// A limit below what the application needs from its start must not have
		// workers replaced without a pause.
		return MemoryLimit
	}
	return Running
}

// spread returns n, a tenth less, a tenth more, or something between, as random
// from 0 to 1 says.
func spread(n int, random float64) int {
	return n + int((2*random-1)*float64(n)/10)
}

// slots returns how many workers there are to be.
func (p *Pool) slots() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.slots
}

// grow starts one more worker whenever it is asked to, until the generation ends.
func (g *generation) grow() {
	for {
		select {
		case <-g.more:
		case <-g.ctx.Done():
			return
		}
		w, err := g.startInTime()
		p := g.pool
		p.mu.Lock()
		if err != nil {
			g.slots--
			g.growFrom = time.Now().Add(maxBackOff * p.timing.backOff)
		}
		slots := g.slots
		p.mu.Unlock()
		switch {
		case err == nil:
			p.log.Info("requests waited: one more worker", "worker", w.number, "pid", w.child.PID(), "workers", slots)
			g.tasks.Go(func() { g.keep(w) })
		case g.ctx.Err() == nil:
			p.log.Error("cannot start one more worker", "error", err)
		}
	}
}

// renew starts the successor of w and then has w end. If there can be none, w
// goes on. It returns the one that takes requests.
func (g *generation) renew(w *worker, reason Reason) *worker {
	next, err := g.startInTime()
	p := g.pool
	p.mu.Lock()
	g.renewing = nil
	if err != nil {
		g.renewFrom = time.Now().Add(maxBackOff * p.timing.backOff)
	}
	served, memory := w.served, w.memory
	p.mu.Unlock()
	if err != nil {
		if g.ctx.Err() == nil {
			p.log.Error("cannot start a worker's successor; it goes on", "worker", w.number, "pid", w.child.PID(), "error", err)
		}
		return w
	}
	p.log.Info("a worker is replaced", "worker", w.number, "pid", w.child.PID(), "reason", reason.String(),
		"age", time.Since(w.born).Round(time.Second), "requests", served, "memory", memory, "successor", next.number)
	w.drain(reason)
	return next
}

// vacate notes that w has left its place, and reports whether that is given up.
func (g *generation) vacate(w *worker) bool {
	g.pool.mu.Lock()
	defer g.pool.mu.Unlock()
	if g.renewing == w {
		g.renewing = nil
	}
	if w.reason != Surplus {
		return false
	}
	g.slots--
	return true
}
