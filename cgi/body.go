package cgi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/bounded"
	"github.com/seed-07905ac1/gatehouse/internal/unlinked"
)

// A body is a request's, as the script reads it from its standard input.
type body struct {
	length int64     // 0 if there is none
	file   *os.File  // that holds it; nil if it is streamed or there is none
	stream io.Reader // that it is still to be read from; nil if it is not streamed
}

func (b *body) close() {
	if b.file != nil {
		b.file.Close()
	}
}

// request is r with this body, for another handler.
func (b *body) request(r *http.Request) *http.Request {
	if b.file == nil {
		return r // it has not been read
	}
	next := r.WithContext(r.Context())
	next.Body, next.ContentLength, next.TransferEncoding = b.file, b.length, nil
	return next
}

// takeBody prepares the body of r. One of known length is streamed, at the
// script's speed. One without is taken in first, because the script has to be
// told its length (RFC 3875, section 4.2). The error is a *failure, or a fault of
// the machine.
func (h *Handler) takeBody(r *http.Request) (*body, error) {
	limit := h.config.MaxBody
	switch {
	case limit >= 0 && r.ContentLength > limit:
		return nil, errTooLarge
	case r.ContentLength >= 0:
		b := &body{length: r.ContentLength}
		if b.length > 0 {
			b.stream = r.Body
		}
		return b, nil
	}
	src := bounded.NewReader(r.Body, limit, 0)
	start, err := io.ReadAll(io.LimitReader(src, h.config.SpoolMemory+1))
	if err != nil {
		return nil, copyFailure(src, err)
	}
	if int64(len(start)) <= h.config.SpoolMemory {
		return h.store(bytes.NewReader(start), src, len(start))
	}
	return h.store(io.MultiReader(bytes.NewReader(start), src), src, -1)
}

// store puts what all holds into a file that has no name: in memory if its
// length is known and the system has room there.
func (h *Handler) store(all io.Reader, src *bounded.Reader, length int) (*body, error) {
	if length == 0 {
		return &body{}, nil
	}
	var file *os.File
	err := errors.ErrUnsupported
	if length > 0 {
		file, err = unlinked.Memory(int64(length))
	}
	if err != nil {
		file, err = unlinked.File(h.config.SpoolDir)
	}
	if err != nil {
		return nil, fmt.Errorf("cgi: store the request's body: %w", err)
	}
	n, err := io.Copy(file, all)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, copyFailure(src, err)
	}
	return &body{length: n, file: file}, nil
}

// copyFailure says what err, of a copy from src, means to the client.
func copyFailure(src *bounded.Reader, err error) error {
	switch {
	case src.Exceeded:
		return errTooLarge
	case src.Err != nil:
		return clientFailure(src.Err)
	}
	return fmt.Errorf("cgi: store the request's body: %w", err)
}

// clientFailure is what a failed read of a request's body means.
func clientFailure(err error) *failure {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &failure{status: http.StatusRequestTimeout, err: err}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok { // an outer handler's limit
		return errTooLarge
	}
	return &failure{status: http.StatusBadRequest, err: err}
}

// A feeder writes a body that is streamed into the script's standard input, in a
// goroutine of its own.
type feeder struct {
	control *http.ResponseController
	pipe    *os.File
	ended   chan struct{}
}

// feed starts a feeder. broken is called if the client does not send all of its
// body: before the script is told that this is its end.
func (x *exchange) feed(b *body, pipe *os.File) *feeder {
	f := &feeder{control: http.NewResponseController(x.w), pipe: pipe, ended: make(chan struct{})}
	// Without it, the server would take the body away with the first byte of the
	// answer.
	_ = f.control.EnableFullDuplex() // a server that does not know it has nothing to enable
	go func() {
		defer close(f.ended)
		defer pipe.Close()
		src := bounded.NewReader(b.stream, -1, 0)
		_, err := io.Copy(pipe, src)
		if err != nil && src.Err != nil {
			x.stop(clientFailure(src.Err))
		}
		// Else the script wants no more of it, which is its right (section 4.2).
	}()
	return f
}

// longAgo makes a read end at once.
var longAgo = time.Unix(1, 0)

// end stops the feeder, which may be waiting for a slow client, and waits for
// its end. What is left of the body is the server's affair.
func (f *feeder) end() {
	select {
	case <-f.ended:
		return
	default:
	}
	f.pipe.SetWriteDeadline(longAgo)
	_ = f.control.SetReadDeadline(longAgo) // without it, the body is not one that can block
	<-f.ended
}
