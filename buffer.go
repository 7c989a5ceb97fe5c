package gatehouse

import "sync"

const (
	// bufferSize holds the head of nearly every request and the whole of a
	// small response. Larger heads move to a buffer of their own that is not
	// kept.
	bufferSize = 4 << 10

	// maxBuffer is what a buffer may have grown to and still be lent again.
	maxBuffer = 4 * bufferSize

	// copySize is the piece in which a body is copied where no sendfile helps.
	copySize = 32 << 10
)

// buffer is a piece of memory that connections borrow while there is something
// in it: b[r:] is what is in it, b[len(b):cap(b)] is room for more.
type buffer struct {
	b []byte
	r int
}

// bytes is what is in the buffer. It is valid until the buffer changes.
func (b *buffer) bytes() []byte { return b.b[b.r:] }

// len is how much is in the buffer.
func (b *buffer) len() int { return len(b.b) - b.r }

// room returns free memory of at least one byte behind the content; grown tells
// how much of it was filled. The content may move.
func (b *buffer) room() []byte {
	if len(b.b) == cap(b.b) {
		if b.r > 0 {
			b.b = b.b[:copy(b.b, b.b[b.r:])]
			b.r = 0
		} else {
			wider := make([]byte, len(b.b), 2*cap(b.b))
			copy(wider, b.b)
			b.b = wider
		}
	}
	return b.b[len(b.b):cap(b.b)]
}

// grown says that n bytes of room were filled.
func (b *buffer) grown(n int) { b.b = b.b[:len(b.b)+n] }

// buffers lends buffers to the connections of one server.
type buffers struct{ pool, copies sync.Pool }

// get lends an empty buffer.
func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{b: make([]byte, 0, bufferSize)}
}

// put takes b back. The borrower must have let go of everything in it.
func (p *buffers) put(b *buffer) {
	if cap(b.b) > maxBuffer {
		return // one large head or body must not stay in memory for ever
	}
	b.b, b.r = b.b[:0], 0
	p.pool.Put(b)
}

// getCopy lends copySize bytes for copying.
func (p *buffers) getCopy() *[copySize]byte {
	if b, ok := p.copies.Get().(*[copySize]byte); ok {
		return b
	}
	return new([copySize]byte)
}

// putCopy takes back what getCopy lent.
func (p *buffers) putCopy(b *[copySize]byte) { p.copies.Put(b) }
