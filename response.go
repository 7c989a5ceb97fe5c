package gatehouse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// errFinished is what a handler gets that writes after it has returned.
var errFinished = errors.New("gatehouse: write after the handler returned")

// sniffLen is how much of a body http.DetectContentType looks at.
const sniffLen = 512

// response is the http.ResponseWriter of one request, and what belongs to it.
// Each request gets a new one: handlers are known to keep theirs after they
// have returned, and must not reach another request's answer with it.
//
// The body passes through buf until that is full. If the handler returns before,
// the length is known and the response needs no chunks. commit writes the head:
// before it, everything can still change.
type response struct {
	c    *conn
	req  *http.Request
	body *body // nil if the request has none
	url  url.URL
	ctx  requestContext

	header   http.Header // the handler's; nil until it asked for it
	fields   headFields  // of header, as of WriteHeader
	status   int         // 0 before WriteHeader
	declared int64       // Content-Length that the handler set; -1: none
	written  int64       // body bytes that the handler wrote; above declared: too many were refused
	buf      *buffer     // body bytes that are not framed yet; of a HEAD response what sniffing needs
	framing  http1.Framing
	trailers []string // names announced in the Trailer field

	// continued guards expects: the request body may be read by a goroutine
	// of its own while the handler writes.
	continued sync.Mutex
	expects   bool // the client waits for 100 Continue

	minor       int  // of the request's version
	close       bool // the request ends the connection
	keepAlive   bool // an HTTP/1.0 client asked to keep it
	isHead      bool
	asterisk    bool // the target is *
	mayContinue bool // the client waited for 100 Continue at first
	fullDuplex  bool
	deadlines   bool // the handler has set deadlines
	committed   bool // the head is written
	whole       bool // written by WriteFinished
	hijacked    bool
	done        atomic.Bool // the handler has returned
	broken      bool        // the connection cannot be used after this response
}

// handler is who answers.
func (w *response) handler() http.Handler {
	if w.asterisk {
		return http.HandlerFunc(answerOptions)
	}
	return w.c.srv.handler()
}

// answerOptions answers "OPTIONS *", which asks about the server as a whole
// (RFC 9110 section 9.3.7): it works.
func answerOptions(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "0")
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter. A status from 100 to 199, except
// 101, is sent at once and may be followed by others.
func (w *response) WriteHeader(status int) {
	switch {
	case w.done.Load():
		w.misuse("WriteHeader after the handler returned")
		return
	case w.hijacked:
		w.misuse("WriteHeader on a hijacked connection")
		return
	case w.status != 0:
		w.misuse("superfluous WriteHeader")
		return
	case status < 100 || status > 999:
		panic(fmt.Sprintf("gatehouse: invalid status %d", status)) // as net/http does
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.inform(status)
		return
	}
	w.status = status
	if len(w.header) > 0 {
		w.freeze()
	}
}

// declareLength takes the length that the handler has announced, if it can be
// true.
func (w *response) declareLength() {
	lengths := w.header["Content-Length"]
	n, err := strconv.ParseUint(strings.Join(lengths, ","), 10, 63)
	codings := w.header["Transfer-Encoding"]
	switch {
	case err != nil:
		w.misuse(fmt.Sprintf("invalid Content-Length %q", lengths))
		delete(w.header, "Content-Length")
	case len(codings) > 0 && codings[0] != "identity":
		w.misuse(fmt.Sprintf("Content-Length beside Transfer-Encoding %q", codings))
		delete(w.header, "Content-Length")
	default:
		w.declared = int64(n)
	}
}

// inform sends an informational response.
func (w *response) inform(status int) {
	if w.minor == 0 {
		return // a client of HTTP/1.0 would take it for the response (RFC 9110 section 15.2)
	}
	if w.mayContinue {
		w.continued.Lock()
		defer w.continued.Unlock()
		w.expects = w.expects && status != http.StatusContinue
	}
	out := w.c.out.next()
	out.b = http1.AppendStatusLine(out.b, status)
	out.b = http1.AppendHeader(out.b, w.header, func(key string) bool {
		return key == "Content-Length" || key == "Transfer-Encoding"
	})
	out.b = append(out.b, "\r\n"...)
	_ = w.sent(w.c.out.flush()) // the write of the response itself reports a client that left
}

// sendContinue sends 100 Continue if the client waits for it.
func (w *response) sendContinue() {
	w.continued.Lock()
	defer w.continued.Unlock()
	if !w.expects {
		return
	}
	w.expects = false
	out := w.c.out.next()
	out.b = append(out.b, "HTTP/1.1 100 Continue\r\n\r\n"...)
	_ = w.c.out.flush() // a broken connection fails the read that follows
}

// misuse logs a mistake of the handler's, with the place.
func (w *response) misuse(what string) {
	var at string
	for skip := 2; ; skip++ {
		pc, file, line, ok := runtime.Caller(skip)
		if !ok {
			break
		}
		if f := runtime.FuncForPC(pc); f != nil && !strings.Contains(f.Name(), "gatehouse.(*response).") {
			at = fmt.Sprintf("%s (%s:%d)", f.Name(), file, line)
			break
		}
	}
	w.c.srv.log().Warn("misuse of a ResponseWriter", "what", what, "at", at)
}

// writable says whether a body of n more bytes may be written now, after it has
// made sure that there is a status.
func (w *response) writable(n int) error {
	switch {
	case w.done.Load():
		return errFinished
	case w.hijacked:
		return http.ErrHijacked
	case w.whole:
		return http.ErrContentLength
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil
	}
	if !bodyAllowed(w.status) {
		return http.ErrBodyNotAllowed
	}
	if w.declared >= 0 && w.written+int64(n) > w.declared {
		// What was announced was wrong, and nobody knows by how much. With the
		// length exceeded, nothing that follows fits either: it would stand where
		// the refused bytes belong.
		w.written += int64(n)
		w.broken = !w.isHead
		return http.ErrContentLength
	}
	return nil
}

// bodyAllowed reports whether a response with this status may have a body (RFC
// 9110 sections 15.2, 15.3.5, 15.4.5).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if err := w.writable(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	if w.isHead {
		w.swallow(p)
		return len(p), nil
	}
	if w.buffered(len(p)) {
		w.written += int64(len(p))
		w.buf.b = append(w.buf.b, p...)
		return len(p), nil
	}
	return w.push(p)
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if w.isHead {
		return w.Write([]byte(s))
	}
	if err := w.writable(len(s)); err != nil || len(s) == 0 {
		return 0, err
	}
	if !w.buffered(len(s)) {
		return w.push([]byte(s))
	}
	w.written += int64(len(s))
	w.buf.b = append(w.buf.b, s...)
	return len(s), nil
}

// swallow takes the body of a HEAD response: it counts, its type shows, and it
// goes nowhere.
func (w *response) swallow(p []byte) {
	w.written += int64(len(p))
	if w.committed {
		return
	}
	if w.buf == nil {
		w.buf = w.c.srv.buffers.get()
	}
	if have := len(w.buf.b); have < sniffLen {
		w.buf.b = append(w.buf.b, p[:min(len(p), sniffLen-have)]...)
	}
}

// buffered reports whether n more bytes of body fit in buf.
func (w *response) buffered(n int) bool {
	if w.buf == nil {
		if n > bufferSize {
			return false
		}
		w.buf = w.c.srv.buffers.get()
	}
	return n <= bufferSize-len(w.buf.b)
}

// push sends what is buffered together with p, except that a small p is kept.
func (w *response) push(p []byte) (int, error) {
	small := len(p) < bufferSize/2
	rest := p
	if small {
		rest = nil
	}
	w.commit(rest, false)
	n, err := w.emit(rest)
	if small && err == nil && w.buffered(len(p)) {
		w.buf.b = append(w.buf.b, p...)
		n = len(p)
	}
	w.written += int64(n)
	return n, w.sent(err)
}

// emit frames and sends what is buffered and p. n counts bytes of p.
func (w *response) emit(p []byte) (n int, err error) {
	out := w.c.out.next()
	size := w.bufLen() + len(p)
	if size == 0 {
		return 0, w.c.out.flush()
	}
	if !w.framing.BodySent {
		w.dropBuf()
		return len(p), w.c.out.flush()
	}
	if w.framing.Chunked {
		out.b = http1.AppendChunkHead(out.b, int64(size))
	}
	if w.buf != nil {
		out.b = append(out.b, w.buf.b...)
		w.dropBuf()
	}
	if !w.framing.Chunked {
		return w.c.out.send(p, nil)
	}
	if len(p) == 0 {
		out.b = append(out.b, http1.ChunkEnd...)
		return 0, w.c.out.flush()
	}
	n, err = w.c.out.send(p, []byte(http1.ChunkEnd))
	return min(n, len(p)), err
}

func (w *response) bufLen() int {
	if w.buf == nil {
		return 0
	}
	return len(w.buf.b)
}

func (w *response) dropBuf() {
	if w.buf != nil {
		w.c.srv.buffers.put(w.buf)
		w.buf = nil
	}
}

// sent looks at the result of sending: a connection that fails once is done for.
func (w *response) sent(err error) error {
	if err != nil {
		w.broken = true
		w.c.watch.cancel()
	}
	return err
}

// Flush implements http.Flusher. FlushError tells whether it worked.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what was written so far to the client.
func (w *response) FlushError() error {
	if w.done.Load() {
		return errFinished
	}
	if w.hijacked {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.commit(nil, false)
	_, err := w.emit(nil)
	return w.sent(err)
}

// abandon ends the response of a handler that has panicked. A goroutine that it
// has left behind finds that all is over.
func (w *response) abandon() {
	w.done.Store(true)
	if w.body != nil {
		w.body.seize()
	}
}

// finish completes the response after the handler has returned.
func (w *response) finish() {
	if w.body != nil {
		w.body.seize()
	}
	if w.status == 0 && w.body != nil {
		if status := w.body.failure(); status != 0 {
			http.Error(w, http.StatusText(status), status)
		}
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.done.Store(true)
	if !w.whole {
		w.commit(nil, true)
		w.complete()
	}
	w.dropBuf()
	if w.body != nil {
		w.c.sock.reads.exempt()
		w.c.watch.release()
	}
	if w.deadlines {
		_ = w.c.rwc.SetDeadline(noDeadline) // fails on a closed connection only
		w.c.sock.writes.watch.Store(true)
	}
}

// complete writes the end of the body behind the head.
func (w *response) complete() {
	if !w.framing.BodySent {
		return
	}
	out := w.c.out.next()
	size := w.bufLen()
	if !w.framing.Chunked {
		if size > 0 {
			out.b = append(out.b, w.buf.b...)
		}
		if w.declared >= 0 && w.written != w.declared {
			w.broken = true // the client waits for more, or has to be told
		}
		return
	}
	if size > 0 {
		out.b = http1.AppendChunkHead(out.b, int64(size))
		out.b = append(out.b, w.buf.b...)
		out.b = append(out.b, http1.ChunkEnd...)
	}
	out.b = http1.AppendLastChunk(out.b, w.finalTrailers())
}

// keep reports whether the connection can be used for another request. What is
// left of a body must not be taken for one.
func (w *response) keep() bool {
	return !w.broken && !w.framing.Close && (w.body == nil || w.body.finished())
}

// unreadInput reports whether something may have arrived that nobody read.
func (w *response) unreadInput() bool {
	return len(w.c.in.buffered()) > 0 || w.body != nil && !w.body.finished()
}

// Hijack implements http.Hijacker. What has arrived already is in the reader.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := w.c
	if w.done.Load() {
		return nil, nil, errFinished
	}
	if w.hijacked {
		return nil, nil, http.ErrHijacked
	}
	if w.body != nil {
		w.body.seize()
	}
	if w.status != 0 {
		w.commit(nil, false)
		if _, err := w.emit(nil); w.sent(err) != nil {
			return nil, nil, fmt.Errorf("gatehouse: hijack: %w", err)
		}
	} else if err := c.out.flush(); err != nil {
		return nil, nil, fmt.Errorf("gatehouse: hijack: %w", err)
	}
	w.dropBuf()
	w.hijacked = true
	conn, rw := c.handOver()
	return conn, rw, nil
}

// SetReadDeadline is for http.ResponseController. A deadline of the handler's
// own replaces BodyStallTimeout for this request.
func (w *response) SetReadDeadline(at time.Time) error {
	if w.done.Load() {
		return errFinished
	}
	w.deadlines = true
	w.c.sock.reads.exempt()
	return w.c.rwc.SetReadDeadline(at)
}

// SetWriteDeadline is for http.ResponseController. A deadline of the handler's
// own replaces WriteStallTimeout for this request.
func (w *response) SetWriteDeadline(at time.Time) error {
	if w.done.Load() {
		return errFinished
	}
	w.deadlines = true
	w.c.sock.writes.exempt()
	return w.c.rwc.SetWriteDeadline(at)
}

// EnableFullDuplex is for http.ResponseController: the request body stays
// readable while the response is written.
func (w *response) EnableFullDuplex() error {
	w.fullDuplex = true
	return nil
}

var (
	_ http.ResponseWriter = (*response)(nil)
	_ http.Flusher        = (*response)(nil)
	_ http.Hijacker       = (*response)(nil)
	_ io.ReaderFrom       = (*response)(nil)
	_ io.StringWriter     = (*response)(nil)
)
