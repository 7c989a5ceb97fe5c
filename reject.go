package gatehouse

import (
	"bytes"
	"net"
	"net/http"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// Rejection is a request that the server refused without asking the handler.
type Rejection struct {
	// LocalAddr and RemoteAddr are the connection's, as net.Conn gives them.
	LocalAddr, RemoteAddr net.Addr

	// Status is what the client was sent.
	Status int

	// Reason says why in a few words, for the log.
	Reason string

	// Line is what had arrived of the request line, at most 256 bytes, raw: it may
	// hold anything and must be escaped before it is shown.
	Line []byte
}

// maxRejectedLine bounds Rejection.Line.
const maxRejectedLine = 256

// rejection is an error that is answered by the server itself.
type rejection struct {
	status int
	reason string
}

func (r *rejection) Error() string { return r.reason }

// reject answers a request that no handler may see, and tells OnReject. The
// connection must be closed afterwards: what follows cannot be told from the
// rest of what was refused.
func (c *conn) reject(status int, reason string) {
	text := http.StatusText(status)
	body := text + ": " + reason + "\n"
	out := c.out.next()
	b := http1.AppendStatusLine(out.b, status)
	b = append(b, c.srv.clock.date()...)
	b = append(b, c.srv.name...)
	b = http1.AppendField(b, "Content-Type", "text/plain; charset=utf-8")
	b = http1.AppendField(b, "X-Content-Type-Options", "nosniff")
	b = http1.AppendField(b, "Content-Length", strconv.Itoa(len(body)))
	b = http1.AppendField(b, "Connection", "close")
	b = append(b, "\r\n"...)
	out.b = append(b, body...)
	_ = c.out.flush() // the connection ends either way
	if c.srv.OnReject != nil {
		c.srv.OnReject(Rejection{
			LocalAddr:  c.rwc.LocalAddr(),
			RemoteAddr: c.rwc.RemoteAddr(),
			Status:     status,
			Reason:     reason,
			Line:       firstLine(c.in.buffered()),
		})
	}
}

// firstLine copies the first line of what arrived, without its end.
func firstLine(arrived []byte) []byte {
	arrived = bytes.TrimLeft(arrived, "\r\n")
	if end := bytes.IndexAny(arrived, "\r\n"); end >= 0 {
		arrived = arrived[:end]
	}
	return bytes.Clone(arrived[:min(len(arrived), maxRejectedLine)])
}
