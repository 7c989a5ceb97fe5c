package pyapp

import (
	"fmt"
	"slices"
)

// State is where a worker stands in its life.
type State uint8

// The states of a worker.
const (
	Starting State = iota // ordered, has not yet said that it is ready
	Ready                 // has nothing to do
	Busy                  // runs at least one request
	Draining              // finishes what it has and takes nothing new
	Stopped               // has ended as it was told
	Failed                // has ended or was ended otherwise
)

// moves holds every permitted change of state; nothing else changes one.
var moves = [...][]State{
	Starting: {Ready, Draining, Failed},
	Ready:    {Busy, Draining, Failed},
	Busy:     {Ready, Draining, Failed},
	Draining: {Stopped, Failed},
	Stopped:  {},
	Failed:   {},
}

// String implements fmt.Stringer.
func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case Busy:
		return "busy"
	case Draining:
		return "draining"
	case Stopped:
		return "stopped"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// mayMove reports whether a worker in state s may go to state next.
func (s State) mayMove(next State) bool {
	return slices.Contains(moves[s], next)
}

// Reason is why a worker ended, or is about to.
type Reason uint8

// The reasons for a worker's end.
const (
	Running     Reason = iota // it has no reason to end
	Crash                     // it ended by itself
	BootFailure               // it ended, or said nothing, before it was ready
	TimedOut                  // a request in it took too long
	Nonsense                  // it sent what the protocol does not allow
	Reloaded                  // a newer generation has replaced it
	Shutdown                  // the pool is closing
	Recycled                  // it has run as many requests as it shall
	MemoryLimit               // it has more memory than it may have
	Surplus                   // there are fewer requests than workers
	Refused                   // its version does not start as it should
	OutOfMemory               // the kernel ended it: the application had as much memory as it may have
)

// String implements fmt.Stringer.
func (r Reason) String() string {
	switch r {
	case Running:
		return "running"
	case Crash:
		return "crash"
	case BootFailure:
		return "boot failure"
	case TimedOut:
		return "time-out"
	case Nonsense:
		return "protocol violation"
	case Reloaded:
		return "reload"
	case Shutdown:
		return "shutdown"
	case Recycled:
		return "recycle"
	case MemoryLimit:
		return "memory"
	case Surplus:
		return "surplus"
	case Refused:
		return "refused"
	case OutOfMemory:
		return "out of memory"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}
