package gatehouse

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// drainLimit is how much of a request body that the handler left unread is read
// to keep the connection for the next request. The number is net/http's: above
// it a new connection is cheaper.
const drainLimit = 256 << 10

// body is the body of a request that has one.
//
// Its methods may be called from several goroutines, as those of net/http's
// may; they then wait for each other.
type body struct {
	w      *response
	closed atomic.Bool // for its handler; the server may still read on

	mu     sync.Mutex
	left   int64 // bytes that are still to come; -1: chunked
	chunks http1.ChunkedDecoder
	total  int64 // bytes the handler got
	max    int64 // bound of total; 0: none
	err    error // what every later read returns; io.EOF after a whole body
	status int   // what the error means to the client; 0: nothing
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() { // before the lock: draining may hold it for long
		return 0, http.ErrBodyReadAfterClose
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.err == nil && b.w.mayContinue {
		b.w.sendContinue()
	}
	return b.read(p)
}

// Close implements io.Closer. What is unread stays so until the response is
// written: it may not be worth reading.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed.Store(true)
	return nil
}

// seize takes the body away from the handler: later reads fail, and one that
// another goroutine has under way ends, which otherwise would end when it
// pleases the client.
func (b *body) seize() {
	if !b.mu.TryLock() {
		rwc := b.w.c.rwc
		_ = rwc.SetReadDeadline(longAgo) // fails on a closed connection only
		b.mu.Lock()
		_ = rwc.SetReadDeadline(noDeadline)
		b.status = 0 // not the client's fault
	}
	defer b.mu.Unlock()
	b.closed.Store(true)
}

// read reads once. b.mu is held.
func (b *body) read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	var n int
	var err error
	if b.left < 0 {
		n, err = b.readChunked(p)
	} else {
		n, err = b.readFixed(p)
	}
	if over := b.total + int64(n) - b.max; b.max > 0 && over > 0 {
		n -= int(over)
		err = &http.MaxBytesError{Limit: b.max}
	}
	b.total += int64(n)
	if err != nil {
		b.end(err)
	}
	return n, b.err
}

func (b *body) readFixed(p []byte) (int, error) {
	p = p[:min(int64(len(p)), b.left)]
	if err := b.readAhead(len(p)); err != nil {
		return 0, err
	}
	n, err := b.w.c.in.Read(p)
	b.left -= int64(n)
	if b.left == 0 {
		return n, io.EOF // whatever err is comes again
	}
	return n, cutShort(err)
}

func (b *body) readChunked(p []byte) (int, error) {
	in := &b.w.c.in
	for {
		if err := b.readAhead(len(p)); err != nil {
			return 0, err
		}
		var n int
		var err error
		if have := in.buffered(); len(have) > 0 {
			var used int
			n, used, err = b.chunks.Decode(p, have)
			in.use(used)
		} else {
			n, err = b.decodeInPlace(p)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// decodeInPlace reads what comes next to p and takes the coding off there.
// Nothing may be buffered: what is left of p is put behind that.
func (b *body) decodeInPlace(p []byte) (int, error) {
	in := &b.w.c.in
	got, err := in.Read(p)
	if got == 0 && err != nil {
		return 0, cutShort(err)
	}
	// With got > 0 the error comes again: a TLS connection gives its last bytes
	// and the end at once.
	n, used, err := b.chunks.Decode(p, p[:got])
	in.unread(p[used:got]) // the next request's
	return n, err
}

// readAhead sees to it that something is buffered, where no more than size
// bytes are wanted and that is little. Large pieces are better read straight to
// where they are wanted.
func (b *body) readAhead(size int) error {
	in := &b.w.c.in
	if size >= bufferSize/2 || len(in.buffered()) > 0 {
		return nil
	}
	return cutShort(in.fill())
}

// cutShort makes the end of the connection inside a body an error.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// end makes err the last word on this body. b.mu is held.
func (b *body) end(err error) {
	c := b.w.c
	var malformed *http1.Error
	var tooLarge *http.MaxBytesError
	switch {
	case err == io.EOF:
		if b.left < 0 {
			b.w.setTrailer(b.chunks.Trailer())
		}
		c.sock.reads.exempt()
		c.watch.release()
	case errors.As(err, &malformed):
		b.status = malformed.Status
		err = fmt.Errorf("gatehouse: read request body: %w", err)
	case errors.As(err, &tooLarge):
		b.status = http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.status = http.StatusRequestTimeout
		err = fmt.Errorf("gatehouse: read request body: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.status = http.StatusBadRequest
	}
	b.err = err
}

// setTrailer gives the request the trailer fields that came.
func (w *response) setTrailer(fields map[string][]string) {
	if len(fields) == 0 {
		return
	}
	if w.req.Trailer == nil {
		w.req.Trailer = http.Header{}
	}
	maps.Copy(w.req.Trailer, fields)
}

// failure is the status that the state of the body asks for if the handler has
// said nothing else; 0 if the body is all right.
func (b *body) failure() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// drain reads what the handler left, within drainLimit, and reports whether the
// next request can follow on this connection.
func (b *body) drain() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err == io.EOF
	}
	if b.left > drainLimit {
		return false
	}
	buffers := &b.w.c.srv.buffers
	waste := buffers.getCopy()
	defer buffers.putCopy(waste)
	for got := 0; got <= drainLimit; {
		n, err := b.read(waste[:])
		got += n
		if err != nil {
			return err == io.EOF
		}
	}
	return false
}

// finished reports whether the body was read to its end.
func (b *body) finished() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF
}

var _ io.ReadCloser = (*body)(nil)
