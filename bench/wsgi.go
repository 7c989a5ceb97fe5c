//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// onPage is the load of a small page: enough connections that a server always
// has something to do.
var onPage = load{path: "/", conns: 64}

func gatehouseUnder(l load, a app) contender[figures] {
	return loaded("Gatehouse", l, gatehouseRuns(a))
}

func (p peer) under(l load, a app) contender[figures] { return loaded(p.name, l, p.runs(a)) }

// compareHello measures what a server costs where the application costs nothing.
func compareHello(s settings) ([]row, error) {
	rounds, err := inTurn(s, []contender[figures]{gatehouseUnder(onPage, hello), nginxUWSGI.under(onPage, hello)}, showLoad)
	if err != nil {
		return nil, err
	}
	return []row{
		versus(rounds, 1, requests, "%.0f/s", atLeast(2)),
		versus(rounds, 1, cpu, "%.2f µs", atMost(0.5)),
	}, nil
}

// compareFramework measures an application with costs of its own, and what the
// servers add to them.
func compareFramework(a app, prepare func(settings) error) func(settings) ([]row, error) {
	return func(s settings) ([]row, error) {
		if err := prepare(s); err != nil {
			return nil, err
		}
		const gunicorn, uwsgi, bare = 1, 2, 3
		rounds, err := inTurn(s, []contender[figures]{
			gatehouseUnder(onPage, a), nginxGunicorn.under(onPage, a), nginxUWSGI.under(onPage, a), bareView(a),
		}, showLoad)
		if err != nil {
			return nil, err
		}
		over := func(who int) func([]figures) float64 {
			return func(r []figures) float64 { return r[who].cpuMicros - r[bare].cpuMicros }
		}
		for _, r := range rounds {
			if over(uwsgi)(r) <= 0 {
				return nil, errors.New("a call of the bare view took more than nginx + uWSGI with it: measure on a quieter machine")
			}
		}
		ratio := medianOf(rounds, func(r []figures) float64 { return over(0)(r) / over(uwsgi)(r) })
		return []row{
			versus(rounds, gunicorn, requests, "%.0f/s", atLeast(1.1)),
			versus(rounds, uwsgi, requests, "%.0f/s", atLeast(1)),
			{
				ours: fmt.Sprintf("%.1f µs", medianOf(rounds, over(0))), peer: fmt.Sprintf("%.1f µs", medianOf(rounds, over(uwsgi))),
				result: fmt.Sprintf("%.2f ×", ratio), reached: ratio <= 0.5,
			},
		}, nil
	}
}

// bareView calls the application in a loop, without any server.
func bareView(a app) contender[figures] {
	return contender[figures]{"the bare view", func(s settings, _ int) (figures, error) {
		cmd := pinned(s.tool("python"), filepath.Join(s.appDir(), "bare.py"), a.target, strconv.Itoa(s.seconds))
		cmd.Dir = s.appDir()
		out, err := cmd.Output()
		if err != nil {
			return figures{}, fmt.Errorf("%s: %w", cmd, err)
		}
		micros, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		return figures{perSecond: 1e6 / micros, cpuMicros: micros}, err
	}}
}

// comparePeers has everybody answer the smallest request, and prints who was how
// fast.
func comparePeers(s settings) ([]row, error) {
	all := []contender[figures]{gatehouseUnder(onPage, hello)}
	for _, p := range append([]peer{nginxUWSGI, nginxGunicorn}, otherPeers...) {
		fmt.Fprintf(s.out, "  %s: %s\n", p.name, p.command)
		all = append(all, p.under(onPage, hello))
	}
	rounds, err := inTurn(s, all, showLoad)
	if err != nil {
		return nil, err
	}
	type place struct {
		who            int
		perSecond, cpu float64
	}
	var places []place
	for i := range all {
		places = append(places, place{
			i,
			medianOf(rounds, func(r []figures) float64 { return r[i].perSecond }),
			medianOf(rounds, func(r []figures) float64 { return r[i].cpuMicros }),
		})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(b.perSecond, a.perSecond) })
	fmt.Fprintln(s.out)
	for n, p := range places {
		fmt.Fprintf(s.out, "  %d. %-22s %8.0f req/s %8.2f µs\n", n+1, all[p.who].name, p.perSecond, p.cpu)
	}
	best := places[slices.IndexFunc(places, func(p place) bool { return p.who != 0 })]
	r := versus(rounds, best.who, requests, "%.0f/s", atLeast(1))
	r.peer = all[best.who].name + ": " + r.peer
	return []row{r}, nil
}
