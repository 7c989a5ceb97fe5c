package pyapp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain fails if a test leaves goroutines, descriptors or processes behind.
func TestMain(m *testing.M) {
	before := openFiles()
	code := m.Run()
	if code == 0 {
		code = checkLeaks(before)
	}
	os.Exit(code)
}

func checkLeaks(before int) int {
	var leaks []string
	// What has just been told to end may need a moment.
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		leaks = leaks[:0]
		if g := ownGoroutines(); g != "" {
			leaks = append(leaks, "goroutines:\n"+g)
		}
		if n := openFiles(); n > before+pollerFiles {
			leaks = append(leaks, fmt.Sprintf("%d descriptors more than before", n-before))
		}
		if pids := children(os.Getpid()); len(pids) > 0 {
			leaks = append(leaks, fmt.Sprintf("children: %v", pids))
		}
		if len(leaks) == 0 {
			return 0
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(os.Stderr, "leaked", strings.Join(leaks, "\n"))
			return 1
		}
	}
}

// pollerFiles are the descriptors that the runtime's poller makes when first
// used, and a listener's worth of slack of net/http's idle connections.
const pollerFiles = 3

// ownGoroutines returns the stacks of goroutines that run this package's code.
func ownGoroutines() string {
	buf := make([]byte, 1<<20)
	var own []string
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "gatehouse/") && !strings.Contains(g, "TestMain") {
			own = append(own, g)
		}
	}
	return strings.Join(own, "\n\n")
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err) // the tests run on Linux
	}
	return len(entries)
}

// children returns the processes whose parent is pid, zombies included.
func children(pid int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is fine
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// The name in parentheses may hold anything; what follows it does not.
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			found = append(found, child)
		}
	}
	return found
}
