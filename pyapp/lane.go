package pyapp

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// maxDepth bounds how many requests are in flight to one lane. More would only
// wait longer where they cannot be seen.
const maxDepth = 8

// wakeUp is about what it costs to wake a sleeping process through a socket.
// Requests are sent ahead of time only while they wait for less than this.
const wakeUp = 100 * time.Microsecond

// A lane is one thread of a worker with the socket on which it takes requests,
// one after the other.
type lane struct {
	worker *worker
	index  int
	conn   *net.UnixConn
	theirs *os.File // a duplicate of the worker's end

	// Guarded by Pool.mu.
	depth     int           // requests dispatched and not yet done
	service   time.Duration // how long one request took lately
	idleUntil time.Time     // when it last began or ended a request

	mu     sync.Mutex // guards what follows and the order of packets on conn
	last   int32      // number of the last request sent
	calls  []*call    // sent and not done, oldest first
	since  time.Time  // when the oldest of calls became the oldest
	closed bool       // no call may be added any more

	running, abandoned, overdue *atomic.Uint64
}

func newLane(w *worker, index int) (*lane, error) {
	conn, theirs, err := pyproc.SocketPair()
	if err != nil {
		return nil, fmt.Errorf("pyapp: lane: %w", err)
	}
	return &lane{
		worker: w, index: index, conn: conn, theirs: theirs,
		running:   w.page.cell(index, cellRunning),
		abandoned: w.page.cell(index, cellAbandoned),
		overdue:   w.page.cell(index, cellOverdue),
	}, nil
}

// room reports whether one more request may be sent while others are in flight:
// only if it will wait for less than a wake-up would cost.
func (l *lane) room() bool {
	return l.depth < maxDepth && time.Duration(l.depth)*l.service < wakeUp
}

// errLaneClosed is returned by send when the worker is gone.
var errLaneClosed = errors.New("pyapp: lane is closed")

// send gives the call to the worker. It does not block: what dispatch lets in
// flight fits into the socket's buffer.
func (l *lane) send(c *call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errLaneClosed
	}
	if l.last++; l.last == math.MaxInt32 {
		l.last = 1
	}
	setNumber(c.packet, l.last)
	c.number = l.last
	if len(l.calls) == 0 {
		l.since = time.Now()
	}
	l.calls = append(l.calls, c)
	if _, err := l.conn.Write(c.packet); err != nil {
		l.calls = l.calls[:len(l.calls)-1]
		return errLaneClosed
	}
	return nil
}

// stop tells the worker to serve no more than what it has been sent.
func (l *lane) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.conn.Write(stopPacket()) // a worker that is gone has stopped
}

// find returns the call with that number, nil if there is none.
func (l *lane) find(number int32) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		if c.number == number {
			return c
		}
	}
	return nil
}

// remove takes the call off the lane; the caller tells the pool.
func (l *lane) remove(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.calls {
		if l.calls[i] == c {
			l.calls = append(l.calls[:i], l.calls[i+1:]...)
			break
		}
	}
	l.since = time.Now()
}

// read takes frames from the worker until it is gone or sends nonsense; the
// error says which of the two, nil is the former.
func (l *lane) read() error {
	buf := make([]byte, maxPacket+1) // one more, so that a longer packet shows
	for {
		n, err := l.conn.Read(buf)
		if err != nil {
			return nil
		}
		if n > maxPacket {
			return fmt.Errorf("%w: packet longer than %d bytes", errFrame, maxPacket)
		}
		done := 0
		for packet := buf[:n]; len(packet) > 0; {
			var f frame
			if f, packet, err = nextFrame(packet); err != nil {
				return err
			}
			last, err := l.take(f)
			if err != nil {
				return err
			}
			if last {
				done++
			}
		}
		if done > 0 {
			l.worker.pool.finished(l, done)
		}
	}
}

// take handles one frame and reports whether it ended a request.
func (l *lane) take(f frame) (last bool, err error) {
	switch f.kind {
	case frameReady:
		return false, l.worker.ready()
	case frameStacks:
		return false, nil
	}
	c := l.find(f.number)
	if c == nil {
		return false, fmt.Errorf("%w: request %d is not in flight", errFrame, f.number)
	}
	if err := c.take(f); err != nil {
		return false, err
	}
	if f.flags&flagLast == 0 {
		return false, nil
	}
	l.remove(c)
	c.release()
	return true, nil
}

// close lets no call in any more and returns those that were in flight.
func (l *lane) close() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.closed, l.calls = true, nil
	l.conn.Close()
	l.theirs.Close()
	return calls
}
