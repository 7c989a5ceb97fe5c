//go:build linux

package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// routeCounts are the numbers of routes that are compared; the first is what the
// others are measured by.
var routeCounts = []int{1, 10, 200, 2000}

const routesLimit = 1.1

// compareRoutes measures CPU time per request of one small file where it is found
// among more and more of what prepare makes in a folder. The path is that of the
// last but half, so that neither an end of a list nor luck makes it cheap.
func compareRoutes(prepare func(s settings, dir string, n int) error) func(settings) ([]row, error) {
	return func(s settings) ([]row, error) {
		me, err := user.Current() // root does not run what root owns unless it is told
		if err != nil {
			return nil, err
		}
		var all []contender[figures]
		for _, n := range routeCounts {
			dir, err := os.MkdirTemp(s.dir, "routes-")
			if err != nil {
				return nil, err
			}
			if err := prepare(s, dir, n); err != nil {
				return nil, err
			}
			start := func(s settings) (*server, error) {
				return startGatehouse(s, dir, nil, "run", "--user", me.Username)
			}
			all = append(all, loaded(fmt.Sprintf("%d", n), load{path: fmt.Sprintf("/r%d/1k.html", n/2), conns: 64, browser: true}, start))
		}
		rounds, err := inTurn(s, all, func(one, many figures) string {
			return fmt.Sprintf("%8.2f µs (%.3f ×)", many.cpuMicros, many.cpuMicros/one.cpuMicros)
		})
		if err != nil {
			return nil, err
		}
		worst := 1
		ratio := func(i int) float64 {
			return medianOf(rounds, func(r []figures) float64 { return cpu(r[i]) / cpu(r[0]) })
		}
		for i := range routeCounts {
			if i > 0 && ratio(i) > ratio(worst) {
				worst = i
			}
		}
		of := func(i int) string {
			return fmt.Sprintf("%.2f µs", medianOf(rounds, func(r []figures) float64 { return cpu(r[i]) }))
		}
		return []row{{
			ours: fmt.Sprintf("%s with %d", of(worst), routeCounts[worst]), peer: of(0) + " with 1",
			result: fmt.Sprintf("%.2f ×", ratio(worst)), reached: ratio(worst) <= routesLimit,
		}}, nil
	}
}

// siteRoutes writes a site of n routes to the same folder of files.
func siteRoutes(s settings, dir string, n int) error {
	var b strings.Builder
	b.WriteString("[[sites]]\n")
	for i := range n {
		fmt.Fprintf(&b, "[[sites.routes]]\npath = \"/r%d/\"\nstatic = %q\n", i, filepath.Join(s.dir, "site"))
	}
	return os.WriteFile(filepath.Join(dir, "gatehouse.toml"), []byte(b.String()), 0o644)
}

// staticWebapps makes n applications of one file.
func staticWebapps(s settings, dir string, n int) error {
	text, err := os.ReadFile(filepath.Join(s.dir, "site", "1k.html"))
	if err != nil {
		return err
	}
	for i := range n {
		app := filepath.Join(dir, "webapps", fmt.Sprintf("r%d", i))
		if err := os.MkdirAll(app, 0o755); err != nil {
			return err
		}
		for _, name := range []string{"index.html", "1k.html"} {
			if err := os.WriteFile(filepath.Join(app, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
