package pyapp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/seed-07905ac1/gatehouse/internal/bounded"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
	"github.com/seed-07905ac1/gatehouse/internal/unlinked"
)

// Lengths in a request's packet.
const (
	// maxRequest is the longest packet that a worker takes. A longer environ is
	// refused with 431.
	maxRequest = 128 << 10
	// maxInline is the longest body that travels in the packet with the environ;
	// a longer one goes to the worker as an open file.
	maxInline = 32 << 10
	// maxQueued is the longest packet that may be in flight behind others, so
	// that maxDepth of them fit into the socket's buffer and sending never blocks.
	maxQueued = 8 << 10
)

// A requestError is a request that does not reach the application, and the
// status to answer it with.
type requestError struct {
	status int
	err    error
}

// Error implements error.
func (e *requestError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *requestError) Unwrap() error { return e.err }

var errOutside = &requestError{http.StatusNotFound, errors.New("path outside of the mount")}

// takeIn reads the whole request at the client's speed and makes the packet for
// the worker, which does not wait meanwhile. The error is a *requestError.
func (p *Pool) takeIn(c *call, r *http.Request) error {
	if p.config.MaxBody >= 0 && r.ContentLength > p.config.MaxBody {
		return tooLarge(p.config.MaxBody)
	}
	switch {
	case p.config.StreamRequests && (r.ContentLength > maxInline || r.ContentLength < 0):
		return p.takeStream(c, r)
	case r.ContentLength > maxInline:
		return p.takeFile(c, r, nil)
	case r.ContentLength >= 0:
		return p.takeInline(c, r, r.ContentLength, r.Body)
	}
	// Its length is not known: see whether it is short.
	start, err := io.ReadAll(io.LimitReader(r.Body, maxInline+1))
	if err != nil {
		return clientError(err)
	}
	if p.config.MaxBody >= 0 && int64(len(start)) > p.config.MaxBody {
		return tooLarge(p.config.MaxBody)
	}
	if len(start) > maxInline {
		return p.takeFile(c, r, start)
	}
	return p.takeInline(c, r, int64(len(start)), bytes.NewReader(start))
}

// takeInline makes a packet that holds a body of that length.
func (p *Pool) takeInline(c *call, r *http.Request, length int64, body io.Reader) error {
	if !p.takeHead(c, r, length) {
		return errOutside
	}
	var room []byte
	c.packet, room = marshal.GrowBytes(c.packet, int(length))
	if length > 0 {
		if _, err := io.ReadFull(body, room); err != nil {
			return clientError(err)
		}
	}
	c.packet = endPacket(c.packet)
	return c.checkPacket()
}

// takeFile makes a packet whose body is a file without a name: start, and what
// can still be read from the request.
func (p *Pool) takeFile(c *call, r *http.Request, start []byte) error {
	file, err := p.bodyFile(r.ContentLength)
	if err != nil {
		return &requestError{http.StatusInternalServerError, fmt.Errorf("store the body: %w", err)}
	}
	c.body = file
	if _, err := file.Write(start); err != nil {
		return &requestError{http.StatusInternalServerError, fmt.Errorf("store the body: %w", err)}
	}
	src := bounded.NewReader(r.Body, p.config.MaxBody, int64(len(start)))
	n, err := io.Copy(file, src)
	switch {
	case src.Exceeded:
		return tooLarge(p.config.MaxBody)
	case src.Err != nil:
		return clientError(src.Err)
	case err != nil:
		return &requestError{http.StatusInternalServerError, fmt.Errorf("store the body: %w", err)}
	}
	if !p.takeHead(c, r, int64(len(start))+n) {
		return errOutside
	}
	c.packet = endPacket(marshal.AppendNone(c.packet))
	return c.checkPacket()
}

func (p *Pool) takeHead(c *call, r *http.Request, length int64) (ok bool) {
	c.packet, ok = p.environ.appendHead(c.packet[:0], r, c.id, length)
	return ok
}

func (c *call) checkPacket() error {
	if len(c.packet) > maxRequest {
		return &requestError{http.StatusRequestHeaderFieldsTooLarge, errors.New("environ too long")}
	}
	c.heavy = c.body != nil || len(c.packet) > maxQueued
	return nil
}

// bodyFile makes the file for a body of that length, -1 if it is not known: in
// memory if it is short and the system has room there.
func (p *Pool) bodyFile(length int64) (*os.File, error) {
	if 0 <= length && length <= p.config.SpoolMemory {
		if f, err := unlinked.Memory(length); err == nil {
			return f, nil
		}
	}
	return unlinked.File(p.config.SpoolDir)
}

func tooLarge(limit int64) error {
	return &requestError{http.StatusRequestEntityTooLarge, fmt.Errorf("body longer than %d bytes", limit)}
}

// clientError is what a failed Read of the request's body means.
func clientError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &requestError{http.StatusRequestTimeout, err}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok { // an outer handler's limit
		return &requestError{http.StatusRequestEntityTooLarge, err}
	}
	return &requestError{http.StatusBadRequest, err}
}
