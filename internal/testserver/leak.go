package testserver

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// Main runs the tests and then fails the run if goroutines, descriptors or
// child processes are left that were not there before. It is the body of a
// TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }
//
// children are programs that tests start by re-executing the test binary, see
// Child; in such a process Main runs the program in place of the tests.
func Main(m *testing.M, children map[string]func() error) int {
	if name := os.Getenv(childVariable); name != "" {
		return runChild(name, children)
	}
	before := takeCensus()
	code := m.Run()
	if code != 0 {
		return code
	}
	if left := before.leaks(); left != "" {
		fmt.Fprintf(os.Stderr, "testserver: left after the tests:\n%s", left)
		return 1
	}
	return 0
}

// NoLeaks fails the test at its end if goroutines, descriptors or children are
// left that were not there when it was called. Tests that run in parallel
// would see each other's: it is for those that do not.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := takeCensus()
	t.Cleanup(func() {
		if left := before.leaks(); left != "" {
			t.Errorf("left after the test:\n%s", left)
		}
	})
}

// census is what a process holds at a moment.
type census struct {
	goroutines map[string]bool // headers of the stacks: "goroutine 7"
	files      map[string]bool
	children   map[string]bool
}

func takeCensus() census {
	c := census{goroutines: map[string]bool{}}
	for id := range stacks() {
		c.goroutines[id] = true
	}
	c.files, c.children = openFiles(), childProcesses()
	return c
}

// leaks describes what is there now and was not in c. It looks again for a
// while first: a closed connection's goroutine and descriptor go a moment
// after the close.
func (c census) leaks() string {
	var left string
	eventually(func() bool {
		left = c.difference()
		return left == ""
	})
	return left
}

func (c census) difference() string {
	var b strings.Builder
	for id, stack := range stacks() {
		if !c.goroutines[id] {
			fmt.Fprintf(&b, "%s\n\n", stack)
		}
	}
	for f := range openFiles() {
		if !c.files[f] {
			fmt.Fprintf(&b, "descriptor %s\n", f)
		}
	}
	for p := range childProcesses() {
		if !c.children[p] {
			fmt.Fprintf(&b, "child process %s\n", p)
		}
	}
	return b.String()
}

// stacks are the goroutines of the process, but for those that the runtime and
// the testing package keep.
func stacks() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	found := map[string]string{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		id, _, _ := strings.Cut(stack, " [")
		if !ours(stack) {
			continue
		}
		found[id] = strings.TrimSpace(stack)
	}
	return found
}

// ours reports whether a goroutine belongs to a test. The one that looks, and
// those which testing and os/signal keep for the whole run, do not.
func ours(stack string) bool {
	for _, kept := range []string{
		"testserver.stacks(",
		"testing.(*M).",
		"testing.(*T).Run(",
		"testing.runFuzzing(",
		"os/signal.loop(",
		"runtime.ensureSigM",
	} {
		if strings.Contains(stack, kept) {
			return false
		}
	}
	return true
}
