//go:build linux

// Command bench measures Gatehouse beside its peers and prints ratios.
//
// Every comparison runs both servers on one core (taskset -c 0) and the load
// generator on another, in turn, several rounds; a ratio is taken within a
// round and the median of the rounds is printed, because on a busy machine
// ratios of one run hold while absolute times do not. The figure for files is
// the server's CPU time per request, all its processes together, as the kernel
// accounts it.
//
// It needs nginx, uwsgi with its Python plug-in, wrk and taskset, two cores,
// and the gatehouse binary; a missing one is an error. All servers listen on
// loopback and are ended by their process id.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// settings is what the command line decides.
type settings struct {
	gatehouse string        // path of the binary
	python    string        // interpreter for Gatehouse's worker; should be the one uWSGI links
	rounds    int           // pairs of runs per comparison
	seconds   int           // length of one wrk run
	idleWait  time.Duration // how long connections idle before memory is read
	dir       string        // scratch folder
	out       io.Writer
}

func main() {
	var s settings
	flag.StringVar(&s.gatehouse, "gatehouse", "bin/gatehouse", "binary to measure")
	flag.StringVar(&s.python, "python", "/usr/bin/python3", "interpreter of the WSGI worker (uWSGI's plug-in uses the system's)")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of each comparison; the median ratio counts")
	flag.IntVar(&s.seconds, "seconds", 4, "seconds of one load run")
	flag.DurationVar(&s.idleWait, "idle-wait", time.Minute, "how long idle connections wait before memory is read")
	only := flag.String("only", "", "comma-separated names of works to run; all if empty")
	flag.Parse()
	s.out = os.Stdout
	if err := run(s, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s settings, only string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if s.gatehouse, err = filepath.Abs(s.gatehouse); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if err := writeFixtures(s.dir); err != nil {
		return err
	}
	if err := printHeader(s); err != nil {
		return err
	}
	rows := make([]row, 0, len(chosen))
	for _, w := range chosen {
		fmt.Fprintf(s.out, "\n%s\n  method: %s\n", w.title, w.method)
		r, err := w.measure(s)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		r.title, r.target = w.title, w.target
		rows = append(rows, r)
	}
	printTable(s.out, rows)
	return nil
}

// choose returns the works that a comma-separated list names, all for "".
func choose(only string) ([]work, error) {
	all := works()
	if only == "" {
		return all, nil
	}
	var chosen []work
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(w work) bool { return w.name == name })
		if i < 0 {
			names := make([]string, len(all))
			for i, w := range all {
				names[i] = w.name
			}
			return nil, fmt.Errorf("no work is called %q; there are %s", name, strings.Join(names, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
