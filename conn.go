package gatehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

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
	out    output
	scan   http1.HeadScanner
	word   atomic.Uint64        // stateWord; for all, see moves
	mine   stateWord            // what the connection's goroutine last put there or found there
	yields uint8                // see yield
	remote string               // client's address, once a request needed it
	secure *tls.ConnectionState // of tls, for all requests; nil without TLS

	base context.Context // parent of every request's context

	watch   watch
	cutting sync.Mutex // held while a wait is cut, and while that is undone
}

// newConn starts serving rwc. With a config it speaks TLS.
func (s *Server) newConn(rwc net.Conn, config *tls.Config, base context.Context) {
	c := &conn{srv: s, rwc: rwc}
	c.sock.init(rwc, s.clock)
	c.watch.c = c
	c.in = input{src: &c.sock, lender: &s.buffers}
	c.out = output{w: &c.sock, lender: &s.buffers}
	switch accepted, ok := rwc.(*tls.Conn); {
	case config != nil:
		c.tls = tls.Server(&c.sock, config)
		c.in.src, c.out.w = c.tls, c.tls
	case ok: // from a listener of crypto/tls
		c.tls = accepted
	case c.sock.raw.ok():
		c.in.sock, c.out.sock = &c.sock, &c.sock
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
	if was == stateNew && next == stateHead || next == stateAsleep {
		since = c.mine.since() // a time-out that is running goes on
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
	case stateClosed:
		c.tell(http.StateClosed)
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
//
// A connection that has been idle for a while moves to a new goroutine. The
// stack of the old one has grown with what handlers need, and one of 4 KB does
// not shrink while its owner waits here; a new one has 2 KB. For ten thousand
// idle connections that is more than half of all they cost.
func (c *conn) serve() {
	moving := false
	defer func() {
		if moving {
			go c.serve()
			return
		}
		c.leave()
	}()
	if c.state() == stateHandshake && !c.handshake() {
		return
	}
	for {
		n, err := c.await()
		if err == errMoving {
			moving = true
			return
		}
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
	if c.state() == stateHijacked {
		return
	}
	c.in.release()
	c.out.release()
	if c.tls != nil && c.out.err == nil {
		c.tls.Close() // says goodbye, which behind a gap would be an error
	}
	c.rwc.Close()
	if !c.enter(stateClosed) {
		c.enter(stateClosed) // from stateCut, where nobody else moves it
	}
	c.srv.removeConn(c)
}

// abort breaks the connection off. Any goroutine may call it.
func (c *conn) abort() {
	if c.tls != nil {
		c.tls.NetConn().Close() // without a goodbye, which may have to wait for the client
	}
	c.rwc.Close()
	c.watch.cancel()
}

// What a wait can end with, besides answers to the client.
var (
	errSilent = errors.New("the connection ends without a word")
	errMoving = errors.New("the connection moves to a new goroutine")
)

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
		if err := c.out.flush(); err != nil {
			return 0, errSilent
		}
		c.yield()
		if err := c.waitForMore(); err != nil {
			return 0, err
		}
	}
}

// yieldsInRow is how often in a row a connection yields before it waits.
const yieldsInRow = 8

// yield lets other connections go first, after an answer. Under load the next
// request has arrived by the time it is our turn again, which saves a read that
// finds nothing and a wake-up by the poller, 0.5 µs of 7. Without load it costs
// 0.1 µs.
//
// The scheduler asks the poller only when nobody is runnable. If busy connections
// did nothing but yield, new ones would wait until the runtime looks by itself,
// 10 ms. So each waits in its turn; those that wait come back only through the
// poller, and within a few rounds nobody is left who is runnable.
func (c *conn) yield() {
	if c.state() != stateActive {
		return
	}
	if c.yields++; c.yields > yieldsInRow {
		c.yields = 0
		return
	}
	runtime.Gosched()
}

// waitForMore reads more of a request head.
func (c *conn) waitForMore() error {
	switch was := c.state(); {
	case c.in.buf != nil && was != stateHead && was != stateCut:
		c.enter(stateHead) // lost to a cut: the read fails
	case was == stateActive:
		c.enter(stateIdle)
		if c.srv.draining.Load() {
			c.cut(c.mine) // Shutdown may have looked before the state was idle
		}
	}
	if err := c.in.await(); err != nil {
		return c.afterWait(err)
	}
	return nil
}

// afterWait says what a failed read between requests means.
func (c *conn) afterWait(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return errSilent // the client left
	}
	was := c.state()
	c.mine = stateWord(c.word.Load())
	switch {
	case c.state() == stateMoving:
		c.resume()
		c.enter(stateAsleep)
		return errMoving
	case was == stateHead:
		return &rejection{http.StatusRequestTimeout, "the request head did not arrive in time"}
	case was != stateNew && c.srv.draining.Load():
		return c.lastLook()
	}
	return errSilent
}

// lastLookTime is how long lastLook waits for what may be there.
const lastLookTime = 10 * time.Millisecond

// lastLook reads what has arrived on an idle connection that Shutdown wants to
// close, so that no request is lost that had reached this machine.
func (c *conn) lastLook() error {
	c.cutting.Lock()
	err := c.rwc.SetReadDeadline(time.Now().Add(lastLookTime))
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
	switch {
	case c.state() == stateActive:
	case c.state().waiting() && c.enter(stateActive):
	default:
		// The wait was cut, perhaps when the head had just arrived: it counts.
		c.resume()
		c.enter(stateActive)
	}
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
	if c.out.flush() == nil && w.unreadInput() {
		c.linger()
	}
	return false
}

// handle calls the handler. It returns false if the handler panicked: its
// answer is in doubt and the connection must end.
func (c *conn) handle(w *response) (ok bool) {
	c.out.holdBack()
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
		w.abandon()
		// Earlier answers are whole and must arrive, of this one only what has
		// gone out already.
		c.out.takeBack()
		_ = c.out.flush() // the connection ends either way
	}()
	w.handler().ServeHTTP(w, w.req)
	return true
}

// lingerLimit is how many bytes are thrown away at most: what a client has under
// way on a fast and long line, not what an endless upload brings in lingerTime.
const lingerLimit = 16 << 20

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
	for got := 0; got < lingerLimit; {
		n, err := c.in.src.Read(waste[:])
		if err != nil {
			return // end, reset, or the sweeper's cut
		}
		got += n
	}
}
