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
func (c *conn) handOver() (net.Conn, *bufio.ReadWriter, error) {
	rwc := c.rwc
	if c.tls != nil {
		rwc = c.tls
	}
	if err := rwc.SetDeadline(noDeadline); err != nil {
		return nil, nil, err
	}
	c.enter(stateHijacked)
	c.srv.removeConn(c)
	arrived := append([]byte(nil), c.in.buffered()...)
	c.in.release()
	c.out.release()
	src := &leftover{arrived, rwc}
	r := bufio.NewReaderSize(src, max(bufferSize, len(arrived)))
	if len(arrived) > 0 {
		_, _ = r.Peek(len(arrived)) // so that Buffered tells of it; leftover cannot fail here
	}
	c.tell(http.StateHijacked)
	return rwc, bufio.NewReadWriter(r, bufio.NewWriter(rwc)), nil
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
