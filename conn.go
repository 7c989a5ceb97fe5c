package gatehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// conn is one connection. Its goroutine runs serve; what other goroutines may
// touch says so.
type conn struct {
	srv    *Server
	rwc    net.Conn // as accepted
	sock   transport
	tls    *tls.Conn // nil without TLS
	in     input
	out    *buffer // what was written and not sent yet; nil when nothing is
	scan   http1.HeadScanner
	word   atomic.Uint64 // stateWord; for all, see moves
	mine   stateWord     // what the connection's goroutine last put there or found there
	remote string        // client's address, once a request needed it

	base context.Context // parent of every request's context

	watch   watch
	cutting sync.Mutex // held while a wait is cut, and while that is undone
}

// newConn starts serving rwc. With a config it speaks TLS.
func (s *Server) newConn(rwc net.Conn, config *tls.Config, base context.Context) {
	c := &conn{srv: s, rwc: rwc}
	c.sock.init(rwc, s.clock)
	c.in.lender = &s.buffers
	c.watch.c = c
	switch accepted, ok := rwc.(*tls.Conn); {
	case config != nil:
		c.tls = tls.Server(&c.sock, config)
		c.in.src = c.tls
	case ok: // from a listener of crypto/tls
		c.tls = accepted
		c.in.src = &c.sock
	default:
		c.in.src = &c.sock
		if c.sock.raw.ok() {
			c.in.sock = &c.sock
		}
	}
	if s.ConnContext != nil {
		base = s.ConnContext(base, rwc)
		if base == nil {
			panic("gatehouse: ConnContext returned nil")
		}
	}
	c.base = base
	if !s.addConn(c) {
		rwc.Close()
		return
	}
	c.mine = stateWord(c.word.Load())
	c.tell(http.StateNew)
	go c.serve()
}

// firstState is the state of a connection that was just accepted.
func (c *conn) firstState() connState {
	if c.tls != nil {
		return stateHandshake
	}
	return stateNew
}

// tell calls the ConnState hook.
func (c *conn) tell(state http.ConnState) {
	if c.srv.ConnState != nil {
		c.srv.ConnState(c.rwc, state)
	}
}

// state is the state as the connection's goroutine knows it.
func (c *conn) state() connState { return c.mine.state() }

// enter moves the connection to next. It returns false, and the connection is
// in stateCut, if somebody has ended the wait of its present state.
func (c *conn) enter(next connState) bool {
	was := c.state()
	if !was.allows(next) {
		panic(fmt.Sprintf("gatehouse: connection cannot go from %v to %v", was, next))
	}
	since := c.srv.clock.now()
	if was == stateNew && next == stateHead {
		since = c.mine.since() // the head time-out runs from the start
	}
	word := newStateWord(next, since)
	if !was.waiting() {
		c.word.Store(uint64(word))
	} else if !c.word.CompareAndSwap(uint64(c.mine), uint64(word)) {
		c.mine = stateWord(c.word.Load())
		return false
	}
	c.mine = word
	switch next {
	case stateActive:
		c.tell(http.StateActive)
	case stateIdle:
		c.tell(http.StateIdle)
	}
	return true
}

// resume takes back a cut, so that reading works again.
func (c *conn) resume() {
	c.cutting.Lock()
	defer c.cutting.Unlock()
	_ = c.rwc.SetReadDeadline(noDeadline) // fails on a closed connection only
}

// serve is the life of a connection: read a head, answer it, again.
func (c *conn) serve() {
	defer c.leave()
	if c.tls != nil && !c.handshake() {
		return
	}
	for {
		n, err := c.await()
		if err != nil {
			c.refuse(err)
			return
		}
		if !c.answer(n) {
			return
		}
	}
}

// leave ends the connection, unless it was hijacked.
func (c *conn) leave() {
	c.srv.removeConn(c)
	if c.state() == stateHijacked {
		return
	}
	c.in.release()
	c.dropOutput()
	if c.tls != nil {
		c.tls.Close()
	}
	c.rwc.Close()
	if c.state() != stateClosed {
		c.enterClosed()
	}
}

func (c *conn) enterClosed() {
	c.mine = newStateWord(stateClosed, 0)
	c.word.Store(uint64(c.mine))
	c.tell(http.StateClosed)
}

// abort breaks the connection off. Any goroutine may call it.
func (c *conn) abort() {
	c.rwc.Close()
	c.watch.cancel()
}

// errSilent ends a connection that there is nothing to say to.
var errSilent = errors.New("connection ends")

// await waits until a whole request head is buffered and returns its length.
// It sends what was answered before it waits, and not earlier: the answers to
// requests that arrived together leave together.
func (c *conn) await() (int, error) {
	c.scan.Reset()
	for {
		if got := c.in.buffered(); len(got) > 0 {
			n, err := c.scan.Scan(got, &c.srv.heads)
			if err != nil {
				return 0, err
			}
			if n > 0 {
				c.activate()
				return n, nil
			}
		}
		if err := c.flush(); err != nil {
			return 0, errSilent
		}
		if err := c.waitForMore(); err != nil {
			return 0, err
		}
	}
}

// waitForMore reads more of a request head.
func (c *conn) waitForMore() error {
	next := stateIdle
	if c.in.buf != nil {
		next = stateHead
	}
	if was := c.state(); was != next && was != stateCut && !(was == stateNew && next == stateIdle) {
		c.enter(next) // lost to a cut: the read fails
	}
	if next == stateIdle && c.srv.draining.Load() && c.state() == stateIdle {
		c.cut(c.mine) // Shutdown may have looked before the state was idle
	}
	err := c.in.fill()
	if err == nil {
		return nil
	}
	return c.afterWait(err)
}

// afterWait says what a failed read between requests means.
func (c *conn) afterWait(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return errSilent // the client left
	}
	was := c.state()
	c.mine = stateWord(c.word.Load())
	if c.srv.draining.Load() && was == stateIdle {
		return c.lastLook()
	}
	if was == stateHead {
		return &rejection{http.StatusRequestTimeout, "the request head did not arrive in time"}
	}
	return errSilent
}

// lastLook reads what has arrived on an idle connection that Shutdown wants to
// close, so that no request is lost that had reached this machine.
func (c *conn) lastLook() error {
	c.cutting.Lock()
	err := c.rwc.SetReadDeadline(soon())
	c.cutting.Unlock()
	if err != nil || c.in.fill() != nil {
		return errSilent
	}
	c.resume()
	c.enter(stateHead)
	return nil
}

// activate moves the connection to stateActive.
func (c *conn) activate() {
	if c.state() == stateActive || c.state() != stateCut && c.enter(stateActive) {
		return
	}
	// The wait was cut, perhaps when the head had just arrived: it counts.
	c.resume()
	c.enter(stateActive)
}

// refuse answers a request that no handler may see, where there is something to
// say, before the connection is closed.
func (c *conn) refuse(err error) {
	status, reason := 0, ""
	var malformed *http1.Error
	var own *rejection
	switch {
	case errors.As(err, &malformed):
		status, reason = malformed.Status, malformed.Reason
	case errors.As(err, &own):
		status, reason = own.status, own.reason
	default:
		return
	}
	c.activate()
	c.reject(status, reason)
	c.linger()
}

// answer answers the request whose head is the first n buffered bytes. It
// returns whether the connection can be used for another one.
func (c *conn) answer(n int) bool {
	w, err := c.readRequest(n)
	if err != nil {
		c.refuse(err)
		return false
	}
	if !c.handle(w) || c.state() == stateHijacked {
		return false
	}
	w.finish()
	if w.keep() {
		return true
	}
	if c.flush() == nil && w.unreadInput() {
		c.linger()
	}
	return false
}

// handle calls the handler. It returns false if the handler panicked: its
// answer is in doubt and the connection must end.
func (c *conn) handle(w *response) (ok bool) {
	mark := c.pending()
	defer func() {
		c.watch.end()
		w.ctx.finish()
		if ok {
			return
		}
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			c.srv.log().Error("panic while serving", "client", c.remote, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		if c.state() == stateHijacked {
			return
		}
		// Earlier answers are whole and must arrive, of this one only what has
		// gone out already.
		c.truncate(mark)
		_ = c.flush() // the connection ends either way
	}()
	w.handler().ServeHTTP(w, w.req)
	return true
}

// linger reads and throws away what the client still sends, so that it gets to
// read the last answer: a close with unread data resets the connection, and a
// reset overtakes the answer.
func (c *conn) linger() {
	if !c.enter(stateLinger) {
		return
	}
	half, ok := c.rwc.(interface{ CloseWrite() error })
	if c.tls != nil {
		half, ok = c.tls, true
	}
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.in.release()
	waste := c.srv.buffers.getCopy()
	defer c.srv.buffers.putCopy(waste)
	for {
		if _, err := c.in.src.Read(waste[:]); err != nil {
			return // end, reset, or the sweeper's cut
		}
	}
}

// output is the buffer of what goes to the client next.
func (c *conn) output() *buffer {
	if c.out == nil {
		c.out = c.srv.buffers.get()
	}
	return c.out
}

// pending is how many bytes wait to be sent.
func (c *conn) pending() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.b)
}

// truncate takes back all but the first n bytes that wait to be sent.
func (c *conn) truncate(n int) {
	if c.out != nil && len(c.out.b) > n {
		c.out.b = c.out.b[:n]
	}
}

// dropOutput gives the buffer back with all that is in it.
func (c *conn) dropOutput() {
	if c.out != nil {
		c.srv.buffers.put(c.out)
		c.out = nil
	}
}

// flush sends what waits to be sent.
func (c *conn) flush() error {
	if c.out == nil {
		return nil
	}
	_, err := c.send(nil, nil)
	return err
}

// coalesceBelow is up to which size pieces are copied together where the
// connection takes only one at a time: a TLS record holds as much.
const coalesceBelow = 16 << 10

// send sends what waits to be sent, then p and q, if possible with one system
// call. n counts the bytes of p and q.
func (c *conn) send(p, q []byte) (n int, err error) {
	var head []byte
	before := c.pending()
	if before > 0 {
		head = c.out.b
	}
	switch {
	case c.sock.raw.ok() && c.tls == nil:
		n, err = c.sock.raw.write(head, p, q)
	case before+len(p)+len(q) <= coalesceBelow:
		all := c.output()
		all.b = append(append(all.b, p...), q...)
		n, err = c.writer().Write(all.b)
	default:
		n, err = writeEach(c.writer(), head, p, q)
	}
	c.dropOutput()
	return max(n-before, 0), err
}

// writer is where bytes for the client go.
func (c *conn) writer() io.Writer {
	if c.tls != nil {
		return c.tls
	}
	return &c.sock
}

// writeEach writes pieces one after the other.
func writeEach(w io.Writer, pieces ...[]byte) (n int, err error) {
	for _, p := range pieces {
		if len(p) == 0 {
			continue
		}
		k, err := w.Write(p)
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
