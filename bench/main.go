//go:build linux

// Command bench measures Gatehouse beside its peers and prints ratios.
//
// Every comparison runs the servers on one core (taskset -c 0), with all their
// processes, and the load generator on another, in turn, several rounds; a ratio
// is taken within a round and the median of the rounds is printed, because on a
// busy machine ratios of one run hold while absolute times do not. CPU time per
// request is that of all of a server's processes together, as the kernel accounts
// it. What the load generator wrk cannot do (arrivals that wait for nobody, every
// single failure) this process does itself, from the load generator's core.
//
// It needs nginx, Apache, lighttpd, a C compiler, wrk and taskset, two cores, the gatehouse binary, and a
// virtual environment with what requirements.txt lists; a missing one is an error.
// All servers listen on loopback and are ended by their process id.
package main

import (
	"errors"
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
	venv      string        // virtual environment of the peers and of all applications
	demo      string        // folder of the Django example
	rounds    int           // runs of each contender in a comparison
	seconds   int           // length of one wrk run
	reloads   int           // of the Django example
	idleWait  time.Duration // how long connections idle before memory is read
	dir       string        // scratch folder
	out       io.Writer
}

func main() {
	var s settings
	flag.StringVar(&s.gatehouse, "gatehouse", "bin/gatehouse", "binary to measure")
	flag.StringVar(&s.venv, "venv", "build/venv/bench", "virtual environment with what bench/requirements.txt lists")
	flag.StringVar(&s.demo, "demo", "examples/django", "folder of the Django example")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of each comparison; the median ratio counts")
	flag.IntVar(&s.seconds, "seconds", 4, "seconds of one load run")
	flag.IntVar(&s.reloads, "reloads", 100, "how often the Django example is reloaded")
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
	for _, path := range []*string{&s.gatehouse, &s.venv, &s.demo} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if s.dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if err := printHeader(s); err != nil {
		return err
	}
	if err := writeFixtures(s); err != nil {
		return err
	}
	var rows []row
	var errs []error // what could not be measured keeps nothing else from it
	for _, w := range chosen {
		fmt.Fprintf(s.out, "\n%s: %s\n  method: %s\n", w.name, w.goals[0].title, w.method)
		measured, err := w.measure(s)
		if err != nil {
			err = fmt.Errorf("%s: %w", w.name, err)
			fmt.Fprintf(s.out, "  failed: %v\n", err)
			errs = append(errs, err)
			continue
		}
		for i, r := range measured {
			r.goal = w.goals[i]
			rows = append(rows, r)
		}
	}
	printTable(s.out, rows)
	return errors.Join(errs...)
}

// tool is a command of the virtual environment.
func (s settings) tool(name string) string { return filepath.Join(s.venv, "bin", name) }

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
