package pyapp

import "testing"

func TestMovesOfAWorker(t *testing.T) {
	for s := Starting; s <= Failed; s++ {
		if len(moves[s]) == 0 != (s == Stopped || s == Failed) {
			t.Errorf("%s has moves %v", s, moves[s])
		}
		for next := Starting; next <= Failed; next++ {
			// Nothing starts twice, and whatever lives can fail.
			if next == Starting && s.mayMove(next) || next == Failed && !s.mayMove(next) && len(moves[s]) > 0 {
				t.Errorf("%s to %s: %t", s, next, s.mayMove(next))
			}
		}
	}
}
