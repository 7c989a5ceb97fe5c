//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	poissonRate    = 640 // arrivals a second
	poissonService = 5 * time.Millisecond
	poissonLimit   = 1.2 // times the ideal
	// A 99th percentile needs many arrivals: this many times as long as wrk's runs.
	poissonStretch = 5
)

// arrivals are the moments, counted from the start, at which clients that do not
// know each other ask: a Poisson process, the same one for the same seed.
func arrivals(seed uint64, lasting time.Duration) []time.Duration {
	rng := rand.New(rand.NewPCG(seed, 0))
	var times []time.Duration
	for at := time.Duration(0); ; {
		at += time.Duration(rng.ExpFloat64() * float64(time.Second) / poissonRate)
		if at >= lasting {
			return times
		}
		times = append(times, at)
	}
}

// ideal is how long each of the arrivals takes where nothing costs anything: one
// queue, in the order of arrival, before workers that take service for each.
func ideal(at []time.Duration, workers int, service time.Duration) []time.Duration {
	free := make([]time.Duration, workers) // when each is done with what it has
	took := make([]time.Duration, 0, len(at))
	for _, t := range at {
		next := 0
		for w := range free {
			if free[w] < free[next] {
				next = w
			}
		}
		free[next] = max(t, free[next]) + service
		took = append(took, free[next]-t)
	}
	return took
}

func p99(times []time.Duration) time.Duration {
	return percentile(slices.Sorted(slices.Values(times)), 99)
}

// waits is what a round of arrivals met with, one server's or the ideal one's.
type waits struct {
	p99   time.Duration
	late  time.Duration // p99 of how late the requests were sent
	spent time.Duration // CPU time of the server, for each request
}

// measurePoisson compares the slowest answers under arrivals that wait for
// nobody with those of a queue that costs nothing.
func measurePoisson(s settings) ([]row, error) {
	long := ideal(arrivals(0, time.Hour), naps.workers, poissonService)
	fmt.Fprintf(s.out, "  the ideal over an hour of arrivals: p99 %.1f ms\n", milliseconds(p99(long)))
	lasting := time.Duration(s.seconds) * poissonStretch * time.Second
	queueOf := func(round int) []time.Duration { return arrivals(uint64(round)+1, lasting) }
	served := func(name string, start starter) contender[waits] {
		return contender[waits]{name, func(s settings, round int) (waits, error) { return openLoop(s, start, queueOf(round)) }}
	}
	all := []contender[waits]{
		served("Gatehouse", gatehouseRuns(naps)),
		served(nginxGunicorn.name, nginxGunicorn.runs(naps)),
		served(nginxUWSGI.name, nginxUWSGI.runs(naps)),
		{"the ideal", func(_ settings, round int) (waits, error) {
			return waits{p99: p99(ideal(queueOf(round), naps.workers, poissonService))}, nil
		}},
	}
	const best = 3 // the ideal's place among them
	var rounds [][]waits
	err := fromClientCore(func() (err error) {
		rounds, err = inTurn(s, all, showWaits)
		return err
	})
	if err != nil {
		return nil, err
	}
	took := func(who int) func([]waits) float64 {
		return func(r []waits) float64 { return milliseconds(r[who].p99) }
	}
	var rows []row
	for _, peer := range []int{best, 1, 2} {
		ratio := medianOf(rounds, func(r []waits) float64 { return took(0)(r) / took(peer)(r) })
		limit := 1.0
		if peer == best {
			limit = poissonLimit
		}
		rows = append(rows, row{
			ours: fmt.Sprintf("%.1f ms", medianOf(rounds, took(0))), peer: fmt.Sprintf("%.1f ms", medianOf(rounds, took(peer))),
			result: fmt.Sprintf("%.2f ×", ratio), reached: ratio <= limit,
		})
	}
	return rows, nil
}

func showWaits(_, w waits) string {
	return fmt.Sprintf("p99 %6.2f ms   %3d µs of CPU each   p99 sent %v late", milliseconds(w.p99), w.spent.Microseconds(), w.late.Round(time.Microsecond))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// openLoop starts a server and asks it at the given moments, whatever became of
// the requests before. A request's time begins when it was due.
func openLoop(s settings, start starter, at []time.Duration) (waits, error) {
	srv, err := start(s)
	if err != nil {
		return waits{}, err
	}
	defer srv.stop()
	o := &opener{addr: srv.addr, idle: make(chan *client, 256)}
	defer o.close()
	// Connections are there before the first arrival, and each worker has served.
	if err := o.warm(cap(o.idle)); err != nil {
		return waits{}, err
	}
	before, err := familyCPU(srv.pids())
	if err != nil {
		return waits{}, err
	}
	o.run(at)
	if len(o.errs) > 0 {
		return waits{}, fmt.Errorf("%d of %d requests failed, first: %w", len(o.errs), len(at), o.errs[0])
	}
	after, err := familyCPU(srv.pids())
	if err != nil {
		return waits{}, err
	}
	return waits{p99: p99(o.took), late: p99(o.late), spent: (after - before) / time.Duration(len(at))}, nil
}

// opener sends requests at their moments over as many connections as it takes.
type opener struct {
	addr  string
	idle  chan *client
	tasks sync.WaitGroup

	mu   sync.Mutex
	took []time.Duration // of the requests that were answered
	late []time.Duration // by how much each was sent after it was due
	errs []error
}

// warm opens n connections and asks once on each.
func (o *opener) warm(n int) error {
	for range n {
		c, err := dial(o.addr, "/")
		if err != nil {
			return err
		}
		if err := c.send(); err != nil {
			return err
		}
		if _, _, err := c.receive(); err != nil {
			return err
		}
		o.idle <- c
	}
	return nil
}

// run sends all requests and waits for all answers.
func (o *opener) run(at []time.Duration) {
	// Go's timers may be a millisecond late, which would count as the server's; a
	// thread that sleeps in the kernel, without slack, is back within some tens of
	// microseconds.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const setTimerSlack = 29 // PR_SET_TIMERSLACK, prctl(2)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
	begin := time.Now()
	for _, due := range at {
		for wait := due - time.Since(begin); wait > 0; wait = due - time.Since(begin) {
			nap := syscall.NsecToTimespec(wait.Nanoseconds())
			_ = syscall.Nanosleep(&nap, nil) // a signal may end it early: then it sleeps again
		}
		o.ask(begin.Add(due))
	}
	o.tasks.Wait()
}

// ask sends the request that is due now, and has its answer waited for. It waits
// itself for nothing.
func (o *opener) ask(due time.Time) {
	var c *client
	var err error
	late := time.Since(due)
	select {
	case c = <-o.idle:
		err = c.send()
	default:
	}
	o.tasks.Go(func() {
		if c == nil {
			if c, err = dial(o.addr, "/"); err == nil {
				err = c.send()
			}
		}
		if err == nil {
			err = o.await(c)
		}
		took := time.Since(due)
		o.mu.Lock()
		defer o.mu.Unlock()
		if err != nil {
			o.errs = append(o.errs, err)
			return
		}
		o.took, o.late = append(o.took, took), append(o.late, late)
	})
}

// await takes an answer and keeps the connection for the next request.
func (o *opener) await(c *client) error {
	_, again, err := c.receive()
	if err == nil && again {
		select {
		case o.idle <- c:
			return nil
		default: // more than there were at first
		}
	}
	return joinClose(c.conn, err)
}

// close ends what is left of the connections.
func (o *opener) close() {
	for {
		select {
		case c := <-o.idle:
			c.conn.Close()
		default:
			return
		}
	}
}
