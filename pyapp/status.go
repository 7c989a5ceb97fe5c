package pyapp

import (
	"cmp"
	"slices"
	"time"
)

// Status is what a pool does at one moment.
type Status struct {
	// CrashLoop means that workers end before they have served a request, again
	// and again: where none is left, requests get 503 until one stays.
	CrashLoop bool
	Loaded    time.Time // when the version of the application that gets requests was loaded
	Waiting   int       // requests that wait for a worker
	Unheld    []string  // limits of the Confinement that nothing holds it to, a sentence each
	Workers   []WorkerStatus
}

// WorkerStatus is what one worker does at one moment.
type WorkerStatus struct {
	Number   int // counts up over the life of the pool
	PID      int
	State    State
	Reason   Reason    // why it ends; Running if it does not
	Born     time.Time // when it was ordered
	Old      bool      // it belongs to a version that has been replaced, and finishes what it has
	Served   int       // requests that it has finished
	Memory   int64     // bytes of its own, those that it shares with the template included; 0 if unknown
	Requests []RequestStatus
}

// RequestStatus is what is known of a request that a worker runs.
type RequestStatus struct {
	ID, Method, Path string
	Waited           time.Duration // from when it had been taken in until the worker was free for it
	Running          time.Duration // since then
}

// Status returns what the pool does now: its workers in the order of their
// numbers, each with the requests that it runs. Those of a version that is being
// loaded are among them.
func (p *Pool) Status() Status {
	var s Status
	p.mu.Lock()
	s.CrashLoop, s.Loaded, s.Waiting = p.current.loops(), p.current.born, len(p.queue)
	s.Unheld = p.current.cell.Unheld()
	workers := slices.Clone(p.workers)
	for _, w := range workers {
		s.Workers = append(s.Workers, WorkerStatus{
			Number: w.number, PID: w.child.PID(), State: w.state, Reason: w.reason, Born: w.born, Old: w.gen.born.Before(p.current.born), Served: w.served,
		})
	}
	p.mu.Unlock()
	now := time.Now()
	for i, w := range workers {
		s.Workers[i].Memory, _ = privateMemory(w.child.PID()) // 0 for one that has ended
		s.Workers[i].Requests = w.requests(now)
	}
	slices.SortFunc(s.Workers, func(a, b WorkerStatus) int { return cmp.Compare(a.Number, b.Number) })
	return s
}

// waited returns how long the call waited until it became the one that its lane
// runs. It may have arrived while the end of the one before was being noted.
func (c *call) waited(since time.Time) time.Duration { return max(0, since.Sub(c.arrived)) }

// requests returns what the worker runs, by lane.
func (w *worker) requests(now time.Time) (all []RequestStatus) {
	for _, l := range w.lanes {
		l.mu.Lock()
		if len(l.calls) > 0 {
			c := l.calls[0]
			all = append(all, RequestStatus{ID: c.id, Method: c.method, Path: c.path, Waited: c.waited(l.since), Running: now.Sub(l.since)})
		}
		l.mu.Unlock()
	}
	return all
}
