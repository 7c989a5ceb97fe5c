package pyapp

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// sendBuffer is what is asked for as the socket's buffer in each direction: a
// worker gets rid of an answer of some packets without waiting for us, and the
// longest request always fits.
const sendBuffer = 256 << 10

// A lane is one thread of a worker with the socket on which it takes requests,
// one after the other.
//
// Requests that come at the same time travel in one packet, and answers leave in
// as few: on a busy machine, waking the other process for each one costs more
// than all else. See PROTOCOL.md.
type lane struct {
	worker  *worker
	index   int
	out     *os.File      // our end of the socket for requests; nothing waits for it
	conn    *net.UnixConn // our end of the socket for answers
	packets *packetReader // on conn

	load load // guarded by Pool.mu

	mu       sync.Mutex // guards what follows and the order of packets on conn
	last     uint64     // sequence number of the last request given to the lane
	calls    []*call    // given to the lane and not done, oldest first
	unsent   []*call    // those of them, the youngest, that are not written yet
	yielding bool       // somebody lets others run before he writes unsent
	packet   []byte     // memory for packets of several requests
	since    time.Time  // when the first of calls became the first
	closed   bool       // no call may be added; the page is gone
	recall   recall

	taking sync.Mutex // held while frames of the worker are handled; before mu
	outbox outbox     // guarded by taking

	running, abandoned, overdue, asked, epoch *atomic.Uint64
}

// newLane makes a lane. theirs are the worker's ends, for requests and for
// answers, which the caller closes when the worker has them.
//
// There is one socket in each direction because the poller watches what we read
// from, in all respects: that the worker has received a request would wake us.
func newLane(w *worker, index int) (_ *lane, theirs []*os.File, err error) {
	l := &lane{
		worker: w, index: index, load: load{service: ahead},
		running:   w.page.cell(index, cellRunning),
		abandoned: w.page.cell(index, cellAbandoned),
		overdue:   w.page.cell(index, cellOverdue),
		asked:     w.page.cell(index, cellAsked),
		epoch:     w.page.cell(index, cellEpoch),
		outbox: outbox{
			mem:    w.page.outbox(index),
			filled: w.page.cell(index, cellFilled),
			taken:  w.page.cell(index, cellTaken),
		},
	}
	defer func() {
		if err != nil {
			for _, f := range theirs {
				f.Close()
			}
			l.hangUp()
			theirs, err = nil, fmt.Errorf("lane: %w", err)
		}
	}()
	var requests, answers *os.File
	if l.out, requests, err = pyproc.FilePair(); err != nil {
		return nil, nil, err
	}
	theirs = append(theirs, requests)
	if l.conn, answers, err = pyproc.SocketPair(); err != nil {
		return nil, theirs, err
	}
	theirs = append(theirs, answers)
	for _, end := range []syscall.Conn{l.out, answers} {
		if err := setSendBuffer(end, sendBuffer); err != nil {
			return nil, theirs, err
		}
	}
	l.packets, err = newPacketReader(l.conn)
	return l, theirs, err
}

// hangUp closes our ends.
func (l *lane) hangUp() {
	if l.out != nil {
		l.out.Close()
	}
	if l.conn != nil {
		l.conn.Close()
	}
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

// numberOf is what a sequence number is on the wire: there it begins again at 1.
func numberOf(sequence uint64) int32 { return int32((sequence-1)%math.MaxInt32) + 1 }

// haste is when calls that are given to a lane are written.
type haste bool

const (
	// together waits until all that can run now has run: requests that arrived at
	// the same time then travel in one packet.
	together haste = false
	atOnce   haste = true
)

// send gives calls to the worker. It does not block: what may be in flight fits
// into the socket's buffer. It reports false, and has done nothing, if the
// worker is gone; if it goes later, its burial takes care of them.
func (l *lane) send(calls []*call, now time.Time, when haste) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	if len(l.calls) == 0 {
		l.since = now
		when = atOnce // the worker sleeps
	}
	for _, c := range calls {
		l.last++
		c.sequence, c.number = l.last, numberOf(l.last)
		c.lane.Store(l)
		setNumber(c.packet, c.number)
	}
	l.calls = append(l.calls, calls...)
	l.unsent = append(l.unsent, calls...)
	if when == together {
		if l.yielding {
			l.mu.Unlock()
			return true // whoever yields takes them along
		}
		l.yielding = true
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
		l.yielding = false
	}
	unsendable := l.flush()
	l.mu.Unlock()
	l.giveUp(unsendable, now)
	return true
}

// flush writes what is unsent, and returns calls that cannot be sent to any
// worker, which the caller gives up. l.mu is held.
func (l *lane) flush() (unsendable []*call) {
	for rest := l.unsent; len(rest) > 0; {
		batch := rest[:batchLength(rest)]
		rest = rest[len(batch):]
		err := l.write(batch)
		if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			continue // a worker that is gone has not begun them: see bury
		}
		l.worker.pool.log.Error("cannot hand requests over", "request", batch[0].id, "worker", l.worker.number, "error", err)
		unsendable = append(unsendable, batch...)
		l.calls = slices.DeleteFunc(l.calls, func(c *call) bool { return slices.Contains(batch, c) })
	}
	clear(l.unsent)
	l.unsent = l.unsent[:0]
	return unsendable
}

// giveUp fails calls that flush has returned.
func (l *lane) giveUp(calls []*call, now time.Time) {
	if len(calls) == 0 {
		return
	}
	for _, c := range calls {
		c.fail(errUnsent)
		c.release()
	}
	l.worker.pool.finished(l, len(calls), now)
}

// batchLength returns how many of the calls go into one packet.
func batchLength(calls []*call) int {
	size := 0
	for i, c := range calls {
		if size += len(c.packet); i > 0 && size > maxRequest {
			return i
		}
	}
	return len(calls)
}

// write sends the calls in one packet, and the file of a body that is one after
// it: such a call is alone. l.mu is held.
func (l *lane) write(calls []*call) error {
	first := calls[0]
	packet := first.packet
	if len(calls) > 1 {
		l.packet = appendBatch(l.packet[:0], calls)
		packet = l.packet
	}
	setEpoch(packet, l.recall.epoch)
	if first.body != nil && first.upload == nil {
		if _, err := first.body.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	fd := int(l.out.Fd())
	if err := sendPacket(fd, packet); err != nil || first.body == nil {
		return err
	}
	return sendDescriptor(fd, first.body)
}

// stop tells the worker to serve no more than what it has been given.
func (l *lane) stop(now time.Time) {
	l.mu.Lock()
	unsendable := l.flush()
	if !l.closed {
		_ = sendPacket(int(l.out.Fd()), stopPacket()) // a worker that is gone has stopped
	}
	l.mu.Unlock()
	l.giveUp(unsendable, now)
}

// find returns the call with that number, nil if none was sent that is not done.
// With remove, it takes it off the lane; the caller tells the pool.
func (l *lane) find(number int32, remove bool, now time.Time) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.calls[:len(l.calls)-len(l.unsent)], func(c *call) bool { return c.number == number })
	if i < 0 {
		return nil
	}
	c := l.calls[i]
	if remove {
		l.calls = slices.Delete(l.calls, i, i+1)
		if i == 0 {
			l.since = now
		}
	}
	return c
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
func (l *lane) serve() { l.blame(l.read()) }

// blame ends the worker if it broke the protocol.
func (l *lane) blame(err error) {
	if err != nil {
		l.worker.pool.log.Error("a worker broke the protocol", "worker", l.worker.number, "error", err)
		l.worker.kill(Nonsense)
	}
}

// read returns nil when the worker is gone, and an error for a bad frame.
func (l *lane) read() error {
	buf := make([]byte, maxPacket+1) // one more, so that a longer packet shows
	for {
		n, err := l.packets.read(buf)
		if errors.Is(err, syscall.ECONNRESET) {
			// It died with requests unread. The error comes once, before what it
			// had sent.
			n, err = l.packets.read(buf)
		}
		if err != nil {
			return l.hungUp()
		}
		if n > maxPacket {
			return fmt.Errorf("%w: packet longer than %d bytes", errFrame, maxPacket)
		}
		l.taking.Lock()
		err = l.take(buf[:n], time.Now())
		l.taking.Unlock()
		if err != nil {
			return err
		}
	}
}

// laneless is how long a worker may live on without its lane.
const laneless = time.Second

// hungUp returns nil when the worker ends, or was told to, and an error if it
// goes on: what it was sent on this lane would wait for ever. An empty packet
// looks the same.
func (l *lane) hungUp() error {
	t := time.NewTimer(laneless)
	defer t.Stop()
	select {
	case <-l.worker.leaving:
		return nil
	case <-t.C:
		return fmt.Errorf("%w: the lane was closed, or an empty packet sent", errFrame)
	}
}

// collect takes what is in the outbox, unless frames are being handled anyway.
func (l *lane) collect(now time.Time) {
	if !l.taking.TryLock() {
		return
	}
	err := l.take(nil, now)
	l.taking.Unlock()
	l.blame(err)
}

// take handles what is in the outbox, which is older, and then a packet, which
// may be nil. l.taking is held.
func (l *lane) take(packet []byte, now time.Time) error {
	left, err := l.outbox.take()
	if err != nil {
		return err
	}
	done := 0
	defer func() {
		if done > 0 {
			l.worker.pool.finished(l, done, now)
		}
	}()
	for len(left) > 0 {
		var f frame
		if f, left, err = nextFrame(left); err != nil {
			return err
		}
		if f.kind != frameWhole && f.kind != frameEnd {
			return fmt.Errorf("%w: type %d in the outbox", errFrame, f.kind)
		}
		last, err := l.takeFrame(f, now)
		if err != nil {
			return err
		}
		if last {
			done++
		}
	}
	for len(packet) > 0 {
		var f frame
		if f, packet, err = nextFrame(packet); err != nil {
			return err
		}
		last, err := l.takeFrame(f, now)
		if err != nil {
			return err
		}
		if last {
			done++
		}
	}
	return nil
}

// takeFrame handles one frame and reports whether it ended a request.
func (l *lane) takeFrame(f frame, now time.Time) (last bool, err error) {
	switch f.kind {
	case frameReady:
		return false, l.worker.ready()
	case frameUnbegun:
		return false, l.takeUnbegun(f.number, now)
	}
	if f.kind == frameStacks && f.number == 0 {
		l.worker.tell(f.body)
		return false, nil
	}
	last = f.flags&flagLast != 0
	c := l.find(f.number, last, now)
	switch {
	case c != nil:
	case f.kind == frameStacks, f.kind == frameHints:
		return false, nil // it ended while another thread described it, or its answer came by the outbox
	default:
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
	if last {
		if err != nil {
			c.fail(errNonsense)
		}
		c.release()
	}
	return last, err
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
	l.taking.Lock()
	l.outbox.close()
	l.taking.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	upTo := l.begun()
	for _, c := range l.calls {
		if c.sequence <= upTo || c.hasBegun() {
			begun = append(begun, c)
		} else {
			rest = append(rest, c)
		}
	}
	l.closed, l.calls, l.unsent = true, nil, nil
	return begun, rest
}

// hasBegunAny reports whether the worker has ever begun a request, as far as it
// tells.
func (l *lane) hasBegunAny() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed && l.begun() > 0
}

// holds reports whether the worker has c and has not begun it, as far as it tells.
func (l *lane) holds(c *call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed && slices.Contains(l.calls, c) && c.sequence > l.begun()
}

// begun returns the sequence number of the last request that the worker has
// begun, as far as it tells: all, if what it says makes no sense. l.mu is held.
func (l *lane) begun() uint64 {
	running := l.running.Load()
	if running == 0 {
		return 0
	}
	if running > math.MaxInt32 {
		return l.last
	}
	behind := (int64(numberOf(l.last)) - int64(running) + math.MaxInt32) % math.MaxInt32
	if uint64(behind) >= l.last {
		return l.last
	}
	return l.last - uint64(behind)
}
