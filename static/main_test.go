package static_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the run if the tests leave goroutines or descriptors behind.
func TestMain(m *testing.M) {
	before := openFiles()
	status := m.Run()
	if status == 0 {
		status = checkLeaks(before)
	}
	os.Exit(status)
}

func checkLeaks(before int) int {
	// Servers that were closed take a moment until their goroutines are gone.
	deadline := time.Now().Add(5 * time.Second)
	for {
		files, leaked := openFiles(), leakedGoroutines()
		if files <= before && leaked == "" {
			return 0
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "left behind: %d descriptors (%d before), goroutines:\n%s\n", files, before, leaked)
			return 1
		}
		runtime.GC()
		runtime.Gosched()
	}
}

// leakedGoroutines returns the stacks of goroutines that run code of this module,
// or of a server that a test started.
func leakedGoroutines() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var leaked []string
	for stack := range bytes.SplitSeq(buf, []byte("\n\n")) {
		s := string(stack)
		if strings.Contains(s, "TestMain") || strings.Contains(s, "testing.(*F)") {
			continue
		}
		if strings.Contains(s, "gatehouse/static") || strings.Contains(s, "net/http.") {
			leaked = append(leaked, s)
		}
	}
	return strings.Join(leaked, "\n\n")
}

// openFiles counts this process's descriptors of files and folders: what the
// runtime keeps for itself (polling) comes and goes.
func openFiles() int {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0 // no such folder on this system: goroutines are checked still
	}
	n := 0
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err == nil && strings.HasPrefix(target, os.TempDir()) {
			n++
		}
	}
	return n
}
