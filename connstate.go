package gatehouse

import "fmt"

// connState says what a connection is doing. Everything that depends on it
// (time-outs, Shutdown, hooks) reads it from here; moves is the whole machine.
type connState uint8

const (
	stateHandshake connState = iota // TLS handshake under way
	stateNew                        // nothing received yet
	stateHead                       // part of a request head received
	stateActive                     // a request is being answered
	stateIdle                       // between two requests, nothing received
	stateMoving                     // idle, and the sweeper asks it to move to a new goroutine
	stateAsleep                     // idle for long, on a goroutine that has done nothing else
	stateCut                        // the sweeper or Shutdown ended a wait of the states above
	stateLinger                     // answered for the last time; what still arrives is thrown away
	stateHijacked                   // a handler owns the connection
	stateClosed
	numStates
)

var stateNames = [numStates]string{
	"handshake", "new", "head", "active", "idle", "moving", "asleep", "cut", "linger", "hijacked", "closed",
}

// String implements fmt.Stringer.
func (s connState) String() string {
	if s < numStates {
		return stateNames[s]
	}
	return fmt.Sprintf("connState(%d)", uint8(s))
}

// stateSet is a set of states, a bit for each.
type stateSet uint16

func states(list ...connState) stateSet {
	var set stateSet
	for _, s := range list {
		set |= 1 << s
	}
	return set
}

// moves says where a connection may go from each state.
//
// Only the connection's own goroutine moves it, with one exception: the moves to
// stateCut and stateMoving belong to whoever ends a wait from outside. That is
// why leaving a waiting state is a compare-and-swap, and why a connection that
// lost the race finds itself in one of these two.
var moves = [numStates]stateSet{
	stateHandshake: states(stateNew, stateCut, stateClosed),
	stateNew:       states(stateHead, stateActive, stateCut, stateClosed),
	stateHead:      states(stateActive, stateCut, stateClosed),
	stateActive:    states(stateIdle, stateHead, stateLinger, stateHijacked, stateClosed),
	stateIdle:      states(stateHead, stateActive, stateMoving, stateCut, stateClosed),
	stateMoving:    states(stateAsleep, stateHead, stateActive, stateClosed),
	stateAsleep:    states(stateHead, stateActive, stateCut, stateClosed),
	stateCut:       states(stateHead, stateActive, stateClosed),
	stateLinger:    states(stateCut, stateClosed),
	stateHijacked:  states(),
	stateClosed:    states(),
}

// allows reports whether a connection may go from s to next.
func (s connState) allows(next connState) bool { return moves[s]&(1<<next) != 0 }

// waiting reports whether the connection's goroutine does nothing but wait for
// the peer in this state, so that ending the wait from outside harms no answer.
func (s connState) waiting() bool { return s.allows(stateCut) }

// stateWord is a state and the coarse time at which it began, in one word, so
// that one atomic operation changes both.
type stateWord uint64

const stateBits = 4

func newStateWord(s connState, since coarse) stateWord {
	return stateWord(since)<<stateBits | stateWord(s)
}

func (w stateWord) state() connState { return connState(w & (1<<stateBits - 1)) }
func (w stateWord) since() coarse    { return coarse(w >> stateBits) }
