package gatehouse

import (
	"net"
	"sync/atomic"
	"time"
)

// longAgo is a deadline that ends the wait that is under way.
var longAgo = time.Unix(1, 0)

// transport is the socket of one connection, below TLS where there is any. It
// keeps account of waits without progress, which is what the stall time-outs
// look at: a mark is set when the socket has nothing to give or to take, and
// goes away with the first byte that moves. A transfer that moves, however
// slowly, is never cut.
//
// One goroutine may read while another one writes.
type transport struct {
	conn  net.Conn
	clock *clock
	raw   rawIO // faster ways where conn is a plain socket

	reads, writes stall
}

// stall is the account of one direction.
type stall struct {
	since atomic.Int64 // coarse time since which nothing has moved; 0: nobody waits
	watch atomic.Bool  // whether waiting counts
}

// begin marks the beginning of a wait.
func (s *stall) begin(c *clock) {
	if s.watch.Load() {
		s.since.Store(int64(c.now()))
	}
}

// end marks progress.
func (s *stall) end() {
	if s.since.Load() != 0 {
		s.since.Store(0)
	}
}

// exempt stops the account until watch is set again.
func (s *stall) exempt() {
	s.watch.Store(false)
	s.since.Store(0)
}

// overdue reports whether a wait has been going on for limit.
func (s *stall) overdue(now, limit coarse) bool {
	since := s.since.Load()
	return since != 0 && now-coarse(since) >= limit
}

func (t *transport) init(conn net.Conn, c *clock) {
	t.conn, t.clock = conn, c
	t.raw.init(t)
	t.writes.watch.Store(true)
}

// Read implements io.Reader.
func (t *transport) Read(p []byte) (int, error) {
	if t.raw.ok() {
		return t.raw.readInto(p)
	}
	t.reads.begin(t.clock)
	n, err := t.conn.Read(p)
	t.reads.end()
	return n, err
}

// fill reads once into in's buffer, which it borrows only when there is
// something to read. Only for sockets whose raw.ok.
func (t *transport) fill(in *input) error { return t.raw.fill(in) }

// writePiece bounds a single write through net.Conn, which tells of no progress
// before the whole is written: 16 KB in a stall time-out of 30 s is a client
// below 5 kbit/s.
const writePiece = 16 << 10

// Write implements io.Writer.
func (t *transport) Write(p []byte) (int, error) {
	if t.raw.ok() {
		return t.raw.write(p, nil, nil)
	}
	done := 0
	for done < len(p) {
		piece := p[done:min(len(p), done+writePiece)]
		t.writes.begin(t.clock)
		n, err := t.conn.Write(piece)
		t.writes.end()
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// cutRead ends a read that is under way and fails later ones.
func (t *transport) cutRead() {
	_ = t.conn.SetReadDeadline(longAgo) // fails on a closed connection only
}

// cutWrite ends a write that is under way and fails later ones.
func (t *transport) cutWrite() {
	_ = t.conn.SetWriteDeadline(longAgo) // fails on a closed connection only
}

// The methods below complete net.Conn for crypto/tls.

// Close implements net.Conn.
func (t *transport) Close() error { return t.conn.Close() }

// LocalAddr implements net.Conn.
func (t *transport) LocalAddr() net.Addr { return t.conn.LocalAddr() }

// RemoteAddr implements net.Conn.
func (t *transport) RemoteAddr() net.Addr { return t.conn.RemoteAddr() }

// SetDeadline implements net.Conn.
func (t *transport) SetDeadline(at time.Time) error { return t.conn.SetDeadline(at) }

// SetReadDeadline implements net.Conn.
func (t *transport) SetReadDeadline(at time.Time) error { return t.conn.SetReadDeadline(at) }

// SetWriteDeadline implements net.Conn.
func (t *transport) SetWriteDeadline(at time.Time) error { return t.conn.SetWriteDeadline(at) }

var _ net.Conn = (*transport)(nil)
