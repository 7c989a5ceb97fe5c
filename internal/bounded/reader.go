// Package bounded reads up to a limit, and tells apart whose fault the end of a
// copy is: the source's, or that of the limit. It is not for cutting: what is
// longer than the limit is an error.
package bounded

import "io"

// Reader reads from another reader until more than its limit has come. It is for
// one goroutine at a time.
type Reader struct {
	// Exceeded reports that more came than may; Read then returns
	// io.ErrShortBuffer, which a copy hands on.
	Exceeded bool
	// Err is what the source returned other than io.EOF.
	Err error

	source    io.Reader
	left      int64
	unlimited bool
}

// NewReader returns a Reader of at most limit bytes of source, of which taken
// have been read already. A negative limit is none.
func NewReader(source io.Reader, limit, taken int64) *Reader {
	return &Reader{source: source, left: limit - taken, unlimited: limit < 0}
}

// Read implements io.Reader.
func (r *Reader) Read(b []byte) (int, error) {
	n, err := r.source.Read(b)
	if r.left -= int64(n); r.left < 0 && !r.unlimited {
		r.Exceeded = true
		return 0, io.ErrShortBuffer
	}
	if err != nil && err != io.EOF {
		r.Err = err
	}
	return n, err
}
