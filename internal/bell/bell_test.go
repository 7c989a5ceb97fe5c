package bell_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/bell"
)

func heard(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestBell(t *testing.T) {
	var b bell.Bell
	b.Ring() // nobody listens
	first, stop := b.Subscribe()
	second, stopSecond := b.Subscribe()
	defer stopSecond()
	if heard(first) {
		t.Error("heard what was before it listened")
	}
	b.Ring()
	b.Ring()
	if !heard(first) || heard(first) {
		t.Error("want one token for two rings")
	}
	stop()
	b.Ring()
	if heard(first) || !heard(second) {
		t.Error("want to hear nothing after stop, and the other to go on")
	}
}
