//go:build linux

package main

import (
	"fmt"
	"slices"
)

// contender is somebody who takes part in a comparison. Gatehouse is the first.
type contender[T any] struct {
	name    string
	measure func(s settings, round int) (T, error)
}

// inTurn measures all contenders one after the other, s.rounds times, and
// returns their results by round. show prints one of them beside Gatehouse's of
// that round.
func inTurn[T any](s settings, all []contender[T], show func(ours, theirs T) string) ([][]T, error) {
	var rounds [][]T
	for round := range s.rounds {
		var results []T
		for _, c := range all {
			r, err := c.measure(s, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			results = append(results, r)
			fmt.Fprintf(s.out, "  round %d  %-22s %s\n", round+1, c.name, show(results[0], r))
		}
		rounds = append(rounds, results)
	}
	return rounds, nil
}

// medianOf is the median over the rounds of what figure makes of each.
func medianOf[T any](rounds [][]T, figure func(round []T) float64) float64 {
	var v []float64
	for _, r := range rounds {
		v = append(v, figure(r))
	}
	return median(v)
}

// median of at least one value; of an even number, the mean of the middle two.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// loaded is a server under wrk, freshly started each time.
func loaded(name string, l load, start starter) contender[figures] {
	return contender[figures]{name, func(s settings, _ int) (figures, error) {
		srv, err := start(s)
		if err != nil {
			return figures{}, err
		}
		defer srv.stop()
		warm := l
		warm.seconds = 1
		if _, err := warm.run(srv); err != nil {
			return figures{}, err
		}
		if err := srv.awaitIdle(); err != nil {
			return figures{}, err
		}
		l.seconds = s.seconds
		return l.run(srv)
	}}
}

// showLoad prints figures and how many times as much Gatehouse's are.
func showLoad(ours, theirs figures) string {
	return fmt.Sprintf("%8.0f req/s (%.3f ×)   %8.2f µs (%.3f ×)", theirs.perSecond, ours.perSecond/theirs.perSecond,
		theirs.cpuMicros, ours.cpuMicros/theirs.cpuMicros)
}

func requests(f figures) float64 { return f.perSecond }
func cpu(f figures) float64      { return f.cpuMicros }

// versus makes a row of what figure picks of Gatehouse and of one other.
func versus(rounds [][]figures, other int, figure func(figures) float64, format string, reached func(ratio float64) bool) row {
	ours := medianOf(rounds, func(r []figures) float64 { return figure(r[0]) })
	peer := medianOf(rounds, func(r []figures) float64 { return figure(r[other]) })
	ratio := medianOf(rounds, func(r []figures) float64 { return figure(r[0]) / figure(r[other]) })
	return row{ours: fmt.Sprintf(format, ours), peer: fmt.Sprintf(format, peer), result: fmt.Sprintf("%.2f ×", ratio), reached: reached(ratio)}
}

func atLeast(limit float64) func(float64) bool { return func(v float64) bool { return v >= limit } }
func atMost(limit float64) func(float64) bool  { return func(v float64) bool { return v <= limit } }

// compareFile measures CPU time per request of one file against a peer.
func compareFile(path string, conns int, browser bool, peer starter, limit float64) func(settings) ([]row, error) {
	return func(s settings) ([]row, error) {
		l := load{path: path, conns: conns, browser: browser}
		rounds, err := inTurn(s, []contender[figures]{loaded("Gatehouse", l, startGatehouseStatic), loaded("nginx", l, peer)}, showLoad)
		if err != nil {
			return nil, err
		}
		return []row{versus(rounds, 1, cpu, "%.2f µs", atMost(limit))}, nil
	}
}
