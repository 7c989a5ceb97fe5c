package pyapp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/fieldline"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// finishedWriter is what a writer may offer for a response that exists as a
// whole: it is then written with one system call. head holds finished field
// lines; nothing is kept. The error http.ErrNotSupported means that nothing was
// written.
type finishedWriter interface {
	WriteFinished(status int, head, body []byte) (int, error)
}

// respond gives the answer of the call to the client.
func (p *Pool) respond(w http.ResponseWriter, r *http.Request, c *call) {
	if c.answer.err != nil {
		p.refuse(w, r, c.answer.err)
		return
	}
	head, body := c.answer.buf[:c.answer.head], c.answer.buf[c.answer.head:]
	fields, err := checkHead(head)
	if err != nil {
		p.log.Error("a worker answered nonsense", "request", c.id, "method", c.method, "path", c.path, "error", err)
		if l := c.lane.Load(); l != nil { // a call that no worker had has none
			l.worker.kill(Nonsense)
		}
		p.refuse(w, r, errNonsense)
		return
	}
	if c.answer.named {
		p.sendNamed(w, r, c, head)
		return
	}
	if c.answer.stream != nil {
		setHeader(w.Header(), head)
		w.WriteHeader(c.answer.status)
		if r.Method == http.MethodHead {
			return // a body without an end keeps nobody busy: the call is left
		}
		c.stream(w, fields.length)
		return
	}
	isHead := r.Method == http.MethodHead
	switch {
	case !mayHaveLength(c.answer.status):
		if body = nil; fields.length >= 0 && c.answer.status == http.StatusNoContent {
			head = withoutLength(head)
		}
	case fields.length >= 0 && isHead && len(body) == 0:
		body = nil
	case fields.length >= 0 && fields.length != int64(len(body)):
		e := &failure{
			sentence: fmt.Sprintf("return as many bytes as Content-Length announces: %d, not %d", fields.length, len(body)),
			advice:   true,
		}
		c.logFailure(e)
		if int64(len(body)) < fields.length {
			p.refuse(w, r, e)
			return
		}
		body = body[:fields.length]
	case fields.length < 0 && (len(body) > 0 || !isHead):
		c.packet = append(c.packet[:0], head...)
		c.packet = append(c.packet, "Content-Length: "...)
		c.packet = strconv.AppendInt(c.packet, int64(len(body)), 10)
		c.packet = append(c.packet, '\r', '\n')
		head = c.packet
	}
	if fw, ok := w.(finishedWriter); ok && !fields.hasID {
		if _, err := fw.WriteFinished(c.answer.status, head, body); !errors.Is(err, http.ErrNotSupported) {
			return // a client that left is no error of ours
		}
	}
	setHeader(w.Header(), head)
	w.WriteHeader(c.answer.status)
	if !isHead && len(body) > 0 {
		_, _ = w.Write(body) // as above
	}
}

// mayHaveLength reports whether a response with that status may have a body that
// a Content-Length field speaks of. In a 304 the field may stand for the body of
// another response (RFC 9110, section 8.6).
func mayHaveLength(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// withoutLength returns field lines, which checkHead has passed, without
// Content-Length: a client could wait for what it announces.
func withoutLength(head []byte) []byte {
	var rest []byte
	for line := range bytes.Lines(head) {
		if name, _, _ := bytes.Cut(line, []byte(":")); !bytes.EqualFold(name, []byte("Content-Length")) {
			rest = append(rest, line...)
		}
	}
	return rest
}

// stream writes the body as it comes, and flushes whenever it has caught up.
// length is what the head announces, -1 if nothing. A body that breaks off ends
// the connection: the client must not take it for complete.
func (c *call) stream(w http.ResponseWriter, length int64) {
	s := c.answer.stream
	defer s.close()
	control := http.NewResponseController(w)
	var buf []byte
	var written int64
	for {
		b, caughtUp, err := s.next(buf)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && written == length {
			return // the client has all of it, and may ask on: only the end was not said
		}
		if err != nil {
			// The client sees the same, whether the end came soon or late: what
			// there was, and that it is not all.
			_ = control.Flush()
			panic(http.ErrAbortHandler)
		}
		buf = b
		written += int64(len(b))
		if _, err := w.Write(b); err != nil {
			return
		}
		if !caughtUp {
			continue
		}
		if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
	}
	file, size, err := s.tail()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if file == nil {
		return
	}
	if n, _ := io.Copy(w, io.LimitReader(file, size)); n < size {
		panic(http.ErrAbortHandler) // the file has become shorter, or the client has left
	}
}

// abandon tells the worker that nobody wants the rest of the answer.
func (c *call) abandon() {
	if l := c.lane.Load(); c.fail(errGone) && l != nil {
		l.abandon(c)
	}
}

// refuse answers for the application.
func (p *Pool) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if e, ok := errors.AsType[*failure](err); ok && p.config.Debug != nil && p.config.Debug(r) {
		e.show(w, r, p.config.Dir)
		return
	}
	status := http.StatusInternalServerError
	if e, ok := errors.AsType[*requestError](err); ok {
		status = e.status
	}
	if e, ok := errors.AsType[*failure](err); ok && e.status != 0 {
		status = e.status
	}
	switch {
	case errors.Is(err, errBusy), errors.Is(err, errWaited), errors.Is(err, errDown):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", retryAfter)
	case errors.Is(err, errLost), errors.Is(err, errNonsense):
		status = http.StatusBadGateway
	case errors.Is(err, errOverdue):
		status = http.StatusGatewayTimeout
	case errors.Is(err, errGone):
		panic(http.ErrAbortHandler) // nobody is there to be answered
	}
	errorpage.Write(w, r, status, "")
}

// retryAfter is in seconds: a queue that is full now has moved on by then.
const retryAfter = "5"

// headFields is what the pool has to know of a head.
type headFields struct {
	length int64 // -1 if there is no Content-Length
	hasID  bool  // it has a request identifier of the application's own
}

// checkHead checks the field lines that a worker sent. The worker has checked
// them too, but what runs in it is not ours.
func checkHead(head []byte) (headFields, error) {
	f := headFields{length: -1}
	for rest := head; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 1 || rest[end-1] != '\r' {
			return f, errors.New("a field line without its end")
		}
		line := rest[:end-1]
		rest = rest[end+1:]
		name, value, err := fieldline.Parse(line)
		if err != nil {
			return f, err
		}
		if err := f.note(name, value); err != nil {
			return f, err
		}
	}
	return f, nil
}

// note looks at a field. Those that frame the message are the server's alone;
// they are told apart by length first, because this is done for every field.
func (f *headFields) note(name, value []byte) error {
	is := func(field string) bool { return len(name) == len(field) && bytes.EqualFold(name, []byte(field)) }
	switch {
	case is("Content-Length"):
		n, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || f.length >= 0 {
			return errors.New("Content-Length is no number, or is there twice")
		}
		f.length = int64(n)
	case is(requestid.Field):
		f.hasID = true
	case is("Connection"), is("Transfer-Encoding"):
		return fmt.Errorf("field %s, which is the server's", name)
	}
	return nil
}

// setHeader adds the field lines, which checkHead has passed, to h.
func setHeader(h http.Header, head []byte) {
	for line := range bytes.Lines(head) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		key := http.CanonicalHeaderKey(string(name))
		if key == requestid.Field {
			continue // ours is there already
		}
		h[key] = append(h[key], string(bytes.Trim(value, " \t\r\n")))
	}
}
