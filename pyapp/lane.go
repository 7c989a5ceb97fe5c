package pyapp

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// maxDepth bounds how many requests are in flight to one lane. More would only
// wait longer where they cannot be seen.
const maxDepth = 8

// wakeUp is about what it costs to wake a sleeping process through a socket.
// Requests are sent ahead of time only while they wait for less than this.
const wakeUp = 100 * time.Microsecond

// sendBuffer is what is asked for as the socket's buffer in each direction: a
// worker gets rid of an answer of some packets without waiting for us, and the
// longest request always fits.
const sendBuffer = 256 << 10

// A lane is one thread of a worker with the socket on which it takes requests,
// one after the other.
type lane struct {
	worker *worker
	index  int
	conn   *net.UnixConn
	theirs *os.File // a duplicate of the worker's end

	load load // guarded by Pool.mu

	mu     sync.Mutex // guards what follows and the order of packets on conn
	last   int32      // number of the last request sent
	calls  []*call    // sent and not done, oldest first: the first one is running
	since  time.Time  // when the first of calls became the first
	closed bool       // no call may be added; the page is gone

	running, abandoned, overdue, asked *atomic.Uint64
}

func newLane(w *worker, index int) (*lane, error) {
	conn, theirs, err := pyproc.SocketPair()
	if err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	for _, end := range []syscall.Conn{conn, theirs} {
		if err := setSendBuffer(end, sendBuffer); err != nil {
			conn.Close()
			theirs.Close()
			return nil, fmt.Errorf("lane: %w", err)
		}
	}
	return &lane{
		worker: w, index: index, conn: conn, theirs: theirs, load: load{service: wakeUp},
		running:   w.page.cell(index, cellRunning),
		abandoned: w.page.cell(index, cellAbandoned),
		overdue:   w.page.cell(index, cellOverdue),
		asked:     w.page.cell(index, cellAsked),
	}, nil
}

func setSendBuffer(end syscall.Conn, size int) error {
	conn, err := end.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, size))
	})
	return errors.Join(err, failed)
}

// A load is what a lane has to do and how fast it does it. It is guarded by
// Pool.mu.
type load struct {
	depth   int           // requests dispatched and not yet done
	heavy   bool          // one of them fills the socket: send nothing behind it
	service time.Duration // how long one request took lately
	since   time.Time     // when it last began or ended a request
}

// room reports whether c may be sent now: to an idle lane, or behind requests
// for which it will wait less than a wake-up would cost.
func (d *load) room(c *call) bool {
	if d.depth == 0 {
		return true
	}
	return !d.heavy && !c.heavy && d.depth < maxDepth && time.Duration(d.depth)*d.service < wakeUp
}

// add notes that c is about to be sent.
func (d *load) add(c *call, now time.Time) {
	if d.depth == 0 {
		d.since, d.heavy = now, c.heavy
	}
	d.depth++
}

// done notes that n requests have ended. The service time follows about the
// slowest fifth of the measurements, by steps: one that the system interrupted
// says little about the next, many slow ones say that waiting behind them would
// take long.
func (d *load) done(n int, now time.Time) {
	took := now.Sub(d.since) / time.Duration(n)
	d.depth, d.since = d.depth-n, now
	if took > d.service {
		d.service = min(took, d.service*3/2)
	} else {
		d.service = max(took, d.service*9/10)
	}
}

// errLaneClosed is returned by send when the worker is gone.
var errLaneClosed = errors.New("pyapp: lane is closed")

// send gives the call to the worker. It does not block: what may be in flight
// fits into the socket's buffer. The error is errLaneClosed, or something that
// would fail with any worker.
func (l *lane) send(c *call, now time.Time) error {
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
	c.lane.Store(l)
	c.sent++
	if len(l.calls) == 0 {
		l.since = now
	}
	l.calls = append(l.calls, c)
	if err := l.write(c); err != nil {
		l.calls = l.calls[:len(l.calls)-1]
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
			return errLaneClosed
		}
		return fmt.Errorf("send to worker %d: %w", l.worker.number, err)
	}
	return nil
}

// write sends the packet of c and its body's file, if it has one. l.mu is held.
func (l *lane) write(c *call) error {
	if c.body != nil {
		if _, err := c.body.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	if _, err := l.conn.Write(c.packet); err != nil || c.body == nil {
		return err
	}
	_, _, err := l.conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(c.body.Fd())), nil)
	return err
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

// remove takes a call off the lane; the caller tells the pool.
func (l *lane) remove(c *call, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.calls, c); i >= 0 {
		l.calls = slices.Delete(l.calls, i, i+1)
	}
	l.since = now
}

// abandon tells the worker that nobody wants the rest of the answer to c.
func (l *lane) abandon(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && slices.Contains(l.calls, c) {
		l.abandoned.Store(uint64(c.number))
	}
}

// serve takes frames from the worker until it is gone; one that breaks the
// protocol is ended.
func (l *lane) serve() {
	if err := l.read(); err != nil {
		l.worker.pool.log.Error("a worker broke the protocol", "worker", l.worker.number, "error", err)
		l.worker.kill(Nonsense)
	}
}

// read returns nil when the worker is gone, and an error for a bad frame.
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
		now, done := time.Now(), 0
		for packet := buf[:n]; len(packet) > 0; {
			var f frame
			if f, packet, err = nextFrame(packet); err != nil {
				return err
			}
			last, err := l.take(f, now)
			if err != nil {
				return err
			}
			if last {
				done++
			}
		}
		if done > 0 {
			l.worker.pool.finished(l, done, now)
		}
	}
}

// take handles one frame and reports whether it ended a request.
func (l *lane) take(f frame, now time.Time) (last bool, err error) {
	if f.kind == frameReady {
		return false, l.worker.ready()
	}
	c := l.find(f.number)
	if c == nil {
		return false, fmt.Errorf("%w: request %d is not in flight", errFrame, f.number)
	}
	switch f.kind {
	case frameStacks:
		c.logSlow(l.worker, string(f.body))
	case frameFile:
		err = l.takeFile(c, f)
	default:
		err = c.take(f, now)
	}
	if err != nil || f.flags&flagLast == 0 {
		return false, err
	}
	l.remove(c, now)
	c.release()
	return true, nil
}

// takeFile receives the file that ends a body, in the packet after the frame.
func (l *lane) takeFile(c *call, f frame) error {
	from, size, err := f.extent()
	if err != nil {
		return err
	}
	file, err := receiveFile(l.conn)
	if err != nil {
		return err
	}
	return c.takeFile(file, from, size)
}

// close lets no call in any more and returns those that were in flight: which
// of them the worker had begun, and which it had not.
func (l *lane) close() (begun, rest []*call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.countBegun()
	begun, rest = l.calls[:n:n], l.calls[n:]
	l.closed, l.calls = true, nil
	return begun, rest
}

// countBegun returns how many of the calls in flight the worker has begun, all
// if what it says makes no sense. l.mu is held.
func (l *lane) countBegun() int {
	running := l.running.Load()
	if running > uint64(l.last) {
		return len(l.calls)
	}
	return 1 + slices.IndexFunc(l.calls, func(c *call) bool { return uint64(c.number) == running })
}

// takeBack returns the calls that the worker has not received yet; they are no
// longer in flight.
func (l *lane) takeBack() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.calls) < 2 {
		return nil
	}
	var back []*call
	stopped := false
	for {
		number, ok := receiveNumber(l.theirs)
		if !ok {
			break
		}
		stopped = stopped || number == stopNumber
		if i := slices.IndexFunc(l.calls, func(c *call) bool { return c.number == number }); i >= 0 {
			back = append(back, l.calls[i])
			l.calls = slices.Delete(l.calls, i, i+1)
		}
	}
	if stopped { // that was not for us
		_, _ = l.conn.Write(stopPacket()) // a worker that is gone has stopped
	}
	return back
}
