//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
