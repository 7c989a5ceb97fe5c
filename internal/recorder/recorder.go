// Package recorder is the one wrapper around an http.ResponseWriter in
// Gatehouse: it remembers what was answered, for logs and metrics, and hides
// none of the writer's abilities.
package recorder

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Recorder is an http.ResponseWriter that remembers status and body length of
// what passes through it. Like every ResponseWriter it belongs to one request
// and is not for concurrent use.
type Recorder struct {
	http.ResponseWriter
	status   int
	bytes    int64
	hijacked bool
}

// New returns a Recorder in front of w.
func New(w http.ResponseWriter) *Recorder { return &Recorder{ResponseWriter: w} }

// Status is the final status written so far, 0 if none: informational (1xx)
// heads do not count, except 101, after which nothing else can come.
func (r *Recorder) Status() int { return r.status }

// Bytes counts the body bytes the writer below took.
func (r *Recorder) Bytes() int64 { return r.bytes }

// Hijacked reports whether a handler took the connection over.
func (r *Recorder) Hijacked() bool { return r.hijacked }

// WriteHeader implements http.ResponseWriter.
func (r *Recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *Recorder) Write(p []byte) (int, error) {
	r.implicitOK()
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// WriteString implements io.StringWriter.
func (r *Recorder) WriteString(s string) (int, error) {
	r.implicitOK()
	n, err := io.WriteString(r.ResponseWriter, s)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that a file still reaches the socket by
// sendfile where the writer below can do that.
func (r *Recorder) ReadFrom(src io.Reader) (int64, error) {
	r.implicitOK()
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

// finishedWriter is what the engine's writer offers for responses that exist
// as a whole: see WriteFinished.
type finishedWriter interface {
	WriteFinished(status int, head, body []byte) (int, error)
}

// WriteFinished hands a finished response to the writer below. If that one
// cannot take it, nothing is written and the error is http.ErrNotSupported:
// the caller then answers through the plain methods.
func (r *Recorder) WriteFinished(status int, head, body []byte) (int, error) {
	fw, ok := r.ResponseWriter.(finishedWriter)
	if !ok {
		return 0, http.ErrNotSupported
	}
	n, err := fw.WriteFinished(status, head, body)
	if err != http.ErrNotSupported && r.status == 0 {
		r.status = status
	}
	r.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher. Where the writer below cannot flush, it does
// nothing; FlushError tells.
func (r *Recorder) Flush() { _ = r.FlushError() }

// FlushError is what http.ResponseController.Flush calls.
func (r *Recorder) FlushError() error {
	err := http.NewResponseController(r.ResponseWriter).Flush()
	if err == nil {
		r.implicitOK()
	}
	return err
}

// Hijack implements http.Hijacker.
func (r *Recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	r.hijacked = err == nil
	return c, rw, err
}

// Unwrap lets http.ResponseController reach the deadlines of the writer below.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// implicitOK records the 200 that the first byte of a body implies.
func (r *Recorder) implicitOK() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
}

var (
	_ http.Flusher    = (*Recorder)(nil)
	_ http.Hijacker   = (*Recorder)(nil)
	_ io.ReaderFrom   = (*Recorder)(nil)
	_ io.StringWriter = (*Recorder)(nil)
)
