package cgi

import (
	"runtime"
	"sync"
	"time"
)

// youth is how long the start of a script waits for the end of one that was
// started before it. Most that compute only take no longer, if they need not
// share their core.
const youth = 3 * time.Millisecond

// A nursery holds back the start of a script while there is a young one for each
// core already.
//
// It is for those forked from an interpreter: as long as they live, whatever it
// writes to is copied for them. Eight at a time on one core cost a seventh more
// than one after the other. Processes of their own only lose by waiting.
type nursery struct {
	places chan struct{} // has an element for each young script
}

func newNursery() *nursery { return &nursery{make(chan struct{}, runtime.GOMAXPROCS(0))} }

// enter waits for a place, for as many times youth at most as there are callers.
// leave gives it back, and is called when the script has ended; once its youth is
// over, the place is free in any case.
func (n *nursery) enter() (leave func()) {
	n.places <- struct{}{}
	free := sync.OnceFunc(func() { <-n.places })
	timer := time.AfterFunc(youth, free)
	return func() {
		timer.Stop()
		free()
	}
}
