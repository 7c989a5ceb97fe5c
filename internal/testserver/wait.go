package testserver

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen before it fails. It
// is generous: a loaded machine under the race detector is slow, and a passing
// test never waits it out.
const Patience = 15 * time.Second

// poll is how often Eventually looks again.
const poll = 2 * time.Millisecond

func patience() (<-chan time.Time, func()) {
	timer := time.NewTimer(Patience)
	return timer.C, func() { timer.Stop() }
}

// Eventually returns once ok is true and fails the test if that does not come
// in time. It is for conditions that nothing announces (the kernel's, another
// process's); what has a channel is waited for with Receive.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !eventually(ok) {
		t.Fatalf("never came true: %s", what)
	}
}

func eventually(ok func() bool) bool {
	timeout, stop := patience()
	defer stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout:
			return ok()
		}
	}
	return true
}

// Receive returns the next value of ch (the zero value once it is closed) and
// fails the test if none comes in time.
func Receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	timeout, stop := patience()
	defer stop()
	select {
	case v := <-ch:
		return v
	case <-timeout:
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}
