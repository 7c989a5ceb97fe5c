package e2e_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to get ready or to end on a machine
// that does other work too.
const patience = 2 * time.Minute

// lastWords is how long the output of a process may go on after its end.
const lastWords = 5 * time.Second

// serve runs gatehouse with args in dir until the test ends and returns its URL,
// with the final slash. What it printed is in the log of a test that fails.
func serve(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	return serveBy(t, cmd)
}

// serveBy is serve for any program that says where it serves.
func serveBy(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	return started(t, cmd, address())[0]
}

// address is how a program says where it serves.
func address() *regexp.Regexp { return regexp.MustCompile(`http://127\.0\.0\.1:[1-9][0-9]*/`) }

// started runs a program until the test ends, and returns what it has printed
// that matches: the first match of each pattern, once there are all.
func started(t *testing.T, cmd *exec.Cmd, patterns ...*regexp.Regexp) []string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	ready := make(chan []string, 1)
	var printed strings.Builder
	var read sync.WaitGroup
	read.Go(func() {
		defer close(ready)
		err = watch(r, &printed, patterns, ready)
	})
	t.Cleanup(func() {
		stop(t, cmd)
		// The workers hold the pipe's other end too: that it ends says that no
		// child outlives the server.
		if err := r.SetReadDeadline(time.Now().Add(lastWords)); err != nil {
			t.Error(err)
		}
		read.Wait()
		if err != nil {
			t.Errorf("after the end of %s: %v: a child still runs", cmd, err)
		}
		r.Close()
		if t.Failed() {
			t.Logf("%s printed:\n%s", cmd, printed.String())
		}
	})
	select {
	case found, ok := <-ready:
		if !ok {
			t.Fatalf("%s ended without serving", cmd)
		}
		return found
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %v", cmd, patience)
	}
	return nil
}

// watch keeps what r brings, and sends the first matches of all patterns.
func watch(r io.Reader, printed *strings.Builder, patterns []*regexp.Regexp, ready chan<- []string) error {
	found, missing := make([]string, len(patterns)), len(patterns)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		for i, p := range patterns {
			if match := p.FindString(lines.Text()); match != "" && found[i] == "" {
				found[i] = match
				if missing--; missing == 0 {
					ready <- found
				}
			}
		}
	}
	return lines.Err()
}

// stop ends the process as Ctrl-C would, and by force if it does not listen.
func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Errorf("interrupt %s: %v", cmd, err)
	}
	force := time.AfterFunc(patience, func() {
		_ = cmd.Process.Kill() // Wait reports what came of it
	})
	err := cmd.Wait()
	if !force.Stop() {
		t.Errorf("%s did not end by itself within %v", cmd, patience)
	}
	if err != nil {
		t.Errorf("%s: %v", cmd, err)
	}
}
