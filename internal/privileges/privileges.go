// Package privileges starts programs of which nothing they start has more rights
// than they have: no set-user-ID or set-group-ID bit and no file capability counts
// for it.
package privileges

import (
	"fmt"
	"runtime"
)

// Run runs f, which starts a program and waits for its end, on an OS thread that
// nothing else runs on meanwhile: the signal that ends the program with the server
// follows that thread. Unless mayGain, what it starts, and what that starts, gains
// no privileges, for good; the thread ends with f then, because it could not be
// given back to others as it was. (The process's first thread stays, and idles:
// /proc/PID/status may show of it what does not hold for the others.) Elsewhere than on Linux programs gain them.
func Run(mayGain bool, f func() error) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // a thread that is not unlocked ends with its goroutine
		if mayGain {
			defer runtime.UnlockOSThread()
		} else if err := forgo(); err != nil {
			ended <- fmt.Errorf("privileges: keep programs from gaining them: %w", err)
			return
		}
		ended <- f()
	}()
	return <-ended
}
