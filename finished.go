package gatehouse

import (
	"bytes"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// copyBelow is up to which size of the output a finished body is copied behind
// its head: to copy that little is cheaper than a second piece in the system
// call. It is also what buffers may grow to and still be used again.
const copyBelow = maxBuffer

// WriteFinished writes a response that exists as a whole, such as a cached
// file, in one go. It is for handlers that want to save the way through the
// plain methods; they find it by a type assertion, as they find io.ReaderFrom:
//
//	interface{ WriteFinished(status int, head, body []byte) (int, error) }
//
// head holds ready and valid field lines with canonical names, each ended by
// CRLF: everything but the status line, Connection and Transfer-Encoding; Date
// and Server only if they shall differ from the server's. Fields that are
// already in Header are sent as well. body is sent unless the request's method
// or the status forbids it: the handler passes the same for GET and HEAD. If
// head has no Content-Length, that of body is added where a body may be.
//
// Neither slice is changed, or kept after the return. It must be the first and
// only write of a response: after another one, or with trailers in Header, it
// writes nothing and returns http.ErrNotSupported; after it, Write returns
// http.ErrContentLength. n counts the bytes of body that were taken.
func (w *response) WriteFinished(status int, head, body []byte) (n int, err error) {
	switch {
	case w.done.Load():
		return 0, errFinished
	case w.hijacked:
		return 0, http.ErrHijacked
	case w.status != 0 || status < 200 || status > 999 || w.header["Trailer"] != nil:
		return 0, http.ErrNotSupported
	}
	w.settleBody()
	length := int64(len(body))
	has := scanFields(head)
	w.status, w.whole = status, true
	if len(w.header) > 0 {
		w.fields = readFields(w.header)
		w.fields.framing[framingLength] = "" // the length is that of body, whatever the header says
	}
	w.fields.dated = w.fields.dated || has.date
	w.fields.named = w.fields.named || has.server
	w.frame(length)
	out := w.c.out.next()
	b := w.appendStart(out.b)
	if len(w.header) > 0 {
		b = http1.AppendHeader(b, w.header, w.skips)
	}
	b = append(b, head...)
	if has.length {
		b = w.framing.AppendConnection(b)
	} else {
		b = w.framing.Append(b)
	}
	out.b = append(b, "\r\n"...)
	if !w.framing.BodySent {
		return 0, nil
	}
	if len(out.b)+len(body) <= copyBelow {
		out.b = append(out.b, body...)
		w.written = length
		return len(body), nil
	}
	n, err = w.c.out.send(body, nil)
	w.written = int64(n)
	return n, w.sent(err)
}

// fieldsThere says which of the fields that the server adds are there already.
type fieldsThere struct{ date, server, length bool }

// scanFields looks for them in head.
func scanFields(head []byte) (has fieldsThere) {
	for len(head) > 0 {
		switch head[0] {
		case 'C':
			has.length = has.length || bytes.HasPrefix(head, []byte("Content-Length:"))
		case 'D':
			has.date = has.date || bytes.HasPrefix(head, []byte("Date:"))
		case 'S':
			has.server = has.server || bytes.HasPrefix(head, []byte("Server:"))
		}
		end := bytes.IndexByte(head, '\n')
		if end < 0 {
			break
		}
		head = head[end+1:]
	}
	return has
}
