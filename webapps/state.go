package webapps

import (
	"fmt"
	"slices"
)

// State is where one deployment of an application stands.
type State uint8

// The states.
const (
	// Deploying: it is being unpacked, recognised and started.
	Deploying State = iota
	// Running: it gets requests, or is started by the first one.
	Running
	// Failed: it cannot run; where nothing older runs, visitors get 503.
	Failed
	// Draining: another has taken its place; it finishes what it has.
	Draining
	// Stopped: nothing of it runs.
	Stopped
)

// moves are all moves there are. A deployment is never started again: another
// one is, beside it.
var moves = map[State][]State{
	Deploying: {Running, Failed, Stopped},
	Running:   {Failed, Draining}, // failed: one that its first request should have started
	Failed:    {Draining},
	Draining:  {Stopped},
	Stopped:   {},
}

// mayBecome reports whether a deployment in state s may move to state t.
func (s State) mayBecome(t State) bool { return slices.Contains(moves[s], t) }

// String returns the state's name, in lower case.
func (s State) String() string {
	switch s {
	case Deploying:
		return "deploying"
	case Running:
		return "running"
	case Failed:
		return "failed"
	case Draining:
		return "draining"
	case Stopped:
		return "stopped"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var _ fmt.Stringer = State(0)
