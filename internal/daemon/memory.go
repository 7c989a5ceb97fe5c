package daemon

import (
	"fmt"
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow to five times what is live before it is
// collected. What lives is small here (a cache of files, the connections), what
// requests leave behind is much: collecting a quarter as often is worth 3 % of a
// small file's CPU time, for at most some 16 MB more of memory under load,
// which giveBack returns.
const gcPercent = 400

// tuneMemory sets the collector's pace, unless the operator has (GOGC).
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// giveBack returns what a wave of requests has needed to the system. The engine
// calls it when traffic has calmed.
func giveBack() { debug.FreeOSMemory() }

// residentMemory is how many bytes of memory this process has that are no file's,
// 0 where the system does not tell (other than Linux).
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm") // size, resident, shared, … in pages
	if err != nil {
		return 0
	}
	var size, resident, shared int64
	if _, err := fmt.Sscan(string(text), &size, &resident, &shared); err != nil {
		return 0
	}
	return (resident - shared) * int64(os.Getpagesize())
}
