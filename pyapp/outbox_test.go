package pyapp

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestOutbox(t *testing.T) {
	mem := []byte("abcdefgh")
	at := func(lap, end uint64) uint64 { return lap<<outboxLap | end }
	tests := []struct {
		name       string
		seen, said uint64
		want       string
		refused    bool
	}{
		{name: "nothing yet"},
		{name: "nothing new", seen: at(0, 3), said: at(0, 3)},
		{name: "the first", said: at(0, 3), want: "abc"},
		{name: "more", seen: at(0, 3), said: at(0, 8), want: "defgh"},
		{name: "a new lap", seen: at(0, 8), said: at(1, 2), want: "ab"},
		{name: "a new lap that reaches as far", seen: at(1, 3), said: at(2, 3), want: "abc"},
		{name: "beyond the memory", said: at(0, 9), refused: true},
		{name: "backwards", seen: at(0, 3), said: at(0, 2), refused: true},
		{name: "far beyond", said: ^uint64(0), refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var filled, taken atomic.Uint64
			filled.Store(tt.said)
			o := outbox{mem: mem, filled: &filled, taken: &taken, seen: tt.seen}
			got, err := o.take()
			if string(got) != tt.want || errors.Is(err, errFrame) != tt.refused {
				t.Fatalf("took %q, %v", got, err)
			}
			if tt.want != "" && taken.Load() != tt.said {
				t.Errorf("taken says %#x, want %#x", taken.Load(), tt.said)
			}
			if again, err := o.take(); !tt.refused && (again != nil || err != nil) {
				t.Errorf("took %q again, %v", again, err)
			}
		})
	}
	t.Run("closed", func(t *testing.T) {
		var filled, taken atomic.Uint64
		filled.Store(3)
		o := outbox{mem: mem, filled: &filled, taken: &taken}
		o.close()
		if got, err := o.take(); got != nil || err != nil {
			t.Errorf("took %q, %v", got, err)
		}
	})
}
