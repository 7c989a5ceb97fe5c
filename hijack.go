package gatehouse

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// noDeadline takes a deadline back.
var noDeadline time.Time

// handOver gives the connection to a handler, with what has arrived already.
// Nobody in the server reads from it or sets deadlines afterwards.
func (c *conn) handOver() (net.Conn, *bufio.ReadWriter) {
	c.watch.hold() // it must not begin again: a goroutine may ask for the context any time
	c.watch.end()
	c.enter(stateHijacked)
	c.srv.removeConn(c)
	rwc := c.rwc
	if c.tls != nil {
		rwc = c.tls
	}
	_ = rwc.SetDeadline(noDeadline) // fails on a closed connection only
	arrived := append([]byte(nil), c.in.buffered()...)
	c.in.release()
	c.out.release()
	src := &leftover{arrived, rwc}
	r := bufio.NewReaderSize(src, max(bufferSize, len(arrived)))
	if len(arrived) > 0 {
		_, _ = r.Peek(len(arrived)) // so that Buffered tells of it; leftover cannot fail here
	}
	c.tell(http.StateHijacked)
	return rwc, bufio.NewReadWriter(r, bufio.NewWriter(rwc))
}

// leftover reads what had arrived first.
type leftover struct {
	bytes []byte
	rest  io.Reader
}

func (l *leftover) Read(p []byte) (int, error) {
	if len(l.bytes) > 0 {
		n := copy(p, l.bytes)
		l.bytes = l.bytes[n:]
		return n, nil
	}
	return l.rest.Read(p)
}
