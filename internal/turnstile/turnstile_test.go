package turnstile_test

import (
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/internal/turnstile"
)

func isEmpty(s *turnstile.Turnstile) bool {
	select {
	case <-s.Empty():
		return true
	default:
		return false
	}
}

func TestTurnstile(t *testing.T) {
	s := turnstile.New()
	for n := range 2 {
		if !s.Enter() || s.Inside() != n+1 {
			t.Fatalf("%d inside, want %d", s.Inside(), n+1)
		}
	}
	s.Exit()
	if isEmpty(s) {
		t.Error("empty before it is shut")
	}
	s.Shut()
	if s.Enter() || s.Inside() != 1 || isEmpty(s) {
		t.Errorf("shut with one inside: %d inside, empty %v", s.Inside(), isEmpty(s))
	}
	s.Exit()
	if !isEmpty(s) || s.Inside() != 0 || s.Enter() {
		t.Errorf("all have left: %d inside, empty %v", s.Inside(), isEmpty(s))
	}
	none := turnstile.New()
	none.Shut()
	if !isEmpty(none) {
		t.Error("nobody was inside, and it is not empty")
	}
}

// Nobody who was let in is inside when it is empty.
func TestCrowd(t *testing.T) {
	s := turnstile.New()
	var mu sync.RWMutex
	var crowd sync.WaitGroup
	started := make(chan struct{}, 8)
	for range 8 {
		crowd.Go(func() {
			for first := true; s.Enter(); first = false {
				if !mu.TryRLock() {
					t.Error("inside though it was empty")
				} else {
					mu.RUnlock()
				}
				s.Exit()
				if first {
					started <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		testserver.Receive(t, "the crowd", started)
	}
	s.Shut()
	testserver.Receive(t, "the last to leave", s.Empty())
	mu.Lock()
	crowd.Wait()
	mu.Unlock()
}
