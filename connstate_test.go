package gatehouse

import "testing"

func TestStateMachine(t *testing.T) {
	for s := range numStates {
		t.Run(s.String(), func(t *testing.T) {
			if stateNames[s] == "" {
				t.Error("state without a name")
			}
			if moves[s]>>numStates != 0 {
				t.Error("a move to a state that does not exist")
			}
			reached := s == stateHandshake // TLS connections begin there
			for from := range numStates {
				reached = reached || from.allows(s)
			}
			if !reached {
				t.Error("no state leads here")
			}
			if final := s == stateClosed || s == stateHijacked; final != (moves[s] == 0) {
				t.Errorf("moves = %b, want some except from the final states", moves[s])
			}
			if moves[s] != 0 && !s.allows(stateClosed) {
				t.Error("a connection must be able to close from here")
			}
		})
	}
	if got := numStates.String(); got != "connState(11)" {
		t.Errorf("a state that does not exist is called %q", got)
	}
}

func TestStateWord(t *testing.T) {
	for s := range numStates {
		w := newStateWord(s, 1<<40+7)
		if w.state() != s || w.since() != 1<<40+7 {
			t.Errorf("%v at %d came back as %v at %d", s, 1<<40+7, w.state(), w.since())
		}
	}
}
