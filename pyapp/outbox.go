package pyapp

import (
	"fmt"
	"sync/atomic"
)

// An outbox is memory in which a worker leaves finished answers while it has
// more requests to serve of the packet that it received. Its next packet on the
// lane's socket says that there is something; but we may take what is there at
// any time, so that no answer waits for a slow request behind it.
//
// How far it is filled is one number, so that it changes at once: the lap in its
// upper half and the end in its lower one. The worker begins a lap at the start
// of the memory when all of the last one has been taken.
type outbox struct {
	mem           []byte
	filled, taken *atomic.Uint64
	seen          uint64 // value of filled up to which all is taken
	buf           []byte // what take returned last
}

// take returns a copy of what has come since the last time, nil if nothing has.
// It is valid until the next call. A copy, because the worker can write on while
// we check what it says.
func (o *outbox) take() ([]byte, error) {
	if o.mem == nil {
		return nil, nil
	}
	filled := o.filled.Load()
	if filled == o.seen {
		return nil, nil
	}
	from, end := o.seen&outboxEnd, filled&outboxEnd
	if filled>>outboxLap != o.seen>>outboxLap {
		from = 0
	}
	if from > end || end > uint64(len(o.mem)) {
		return nil, fmt.Errorf("%w: outbox filled from %d to %d", errFrame, from, end)
	}
	o.buf = append(o.buf[:0], o.mem[from:end]...)
	o.seen = filled
	o.taken.Store(filled)
	return o.buf, nil
}

// close has take return nothing more: the page is about to go.
func (o *outbox) close() { o.mem = nil }

// The two halves of how far an outbox is filled.
const (
	outboxLap = 32
	outboxEnd = 1<<outboxLap - 1
)
