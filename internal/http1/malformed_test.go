package http1_test

import (
	"errors"
	"io"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
	"github.com/seed-07905ac1/gatehouse/internal/http1/http1test"
)

func TestMalformed(t *testing.T) {
	for _, tt := range http1test.Malformed(t) {
		t.Run(tt.Name, func(t *testing.T) {
			for _, step := range []int{len(tt.Raw), 1, 7} {
				m := read([]byte(tt.Raw), step, nil)
				var e *http1.Error
				if !errors.As(m.err, &e) {
					t.Fatalf("in pieces of %d: error %v, want status %d", step, m.err, tt.Status)
				}
				if e.Status != tt.Status {
					t.Errorf("in pieces of %d: %v, want status %d", step, e, tt.Status)
				}
				if inBody := tt.Where == http1test.InBody; m.headDone != inBody {
					t.Errorf("in pieces of %d: head accepted: %t, want %t (%v)", step, m.headDone, inBody, e)
				}
			}
		})
	}
}

// message is what came of the bytes of one request.
type message struct {
	head     http1.RequestHead
	headDone bool
	body     []byte
	trailer  map[string][]string
	rest     []byte // what follows the request
	err      error  // nil, an *http1.Error, or io.ErrUnexpectedEOF for too few bytes
}

// read parses a request whose bytes arrive in pieces of step bytes, as an
// engine would.
func read(raw []byte, step int, lim *http1.Limits) message {
	var (
		m message
		s http1.HeadScanner
		n int
		d http1.ChunkedDecoder
	)
	if lim != nil {
		d.Limits = *lim
	}
	got := 0
	for n == 0 {
		if got == len(raw) {
			m.err = io.ErrUnexpectedEOF
			return m
		}
		got = min(got+step, len(raw))
		// The copy shows what looks beyond the bytes that have arrived.
		if n, m.err = s.Scan(append([]byte(nil), raw[:got]...), lim); m.err != nil {
			return m
		}
	}
	if m.err = http1.ParseRequest(raw[:n], &m.head); m.err != nil {
		return m
	}
	m.headDone = true
	rest := raw[n:]
	if !m.head.Chunked {
		if m.head.ContentLength > int64(len(rest)) {
			m.err = io.ErrUnexpectedEOF
			return m
		}
		m.body, m.rest = rest[:m.head.ContentLength], rest[m.head.ContentLength:]
		return m
	}
	for {
		piece := rest[:min(step, len(rest))]
		dst := make([]byte, len(piece))
		nd, ns, err := d.Decode(dst, piece)
		m.body = append(m.body, dst[:nd]...)
		rest = rest[ns:]
		switch {
		case err == io.EOF:
			m.trailer, m.rest = d.Trailer(), rest
			return m
		case err != nil:
			m.err = err
			return m
		case len(rest) == 0:
			m.err = io.ErrUnexpectedEOF
			return m
		}
	}
}
