package gatehouse

import (
	"io"
)

// input is the receiving side of a connection: what has arrived and was not
// used yet. It holds a buffer only while that is something; a connection that
// waits holds none.
type input struct {
	src     io.Reader  // the TLS connection, or sock
	sock    *transport // where src is a socket that fills buffers itself, else nil
	lender  *buffers
	buf     *buffer // nil when nothing is buffered
	oneByte [1]byte
}

// buffered is what has arrived and was not used yet, valid until the next call
// of another method.
func (in *input) buffered() []byte {
	if in.buf == nil {
		return nil
	}
	return in.buf.bytes()
}

// use marks the first n bytes of buffered as used.
func (in *input) use(n int) {
	if in.buf == nil {
		return
	}
	in.buf.r += n
	if in.buf.len() == 0 {
		in.release()
	}
}

// release throws away what is buffered and gives the buffer back.
func (in *input) release() {
	if in.buf != nil {
		in.lender.put(in.buf)
		in.buf = nil
	}
}

// room lends memory behind what is buffered.
func (in *input) room() []byte {
	if in.buf == nil {
		in.buf = in.lender.get()
	}
	return in.buf.room()
}

// releaseUnused gives the buffer back if nothing is in it.
func (in *input) releaseUnused() {
	if in.buf != nil && in.buf.len() == 0 {
		in.release()
	}
}

// await waits for something to arrive, however long that takes, and buffers it.
func (in *input) await() error {
	if in.sock != nil || in.buf != nil {
		return in.fill()
	}
	// A reader that cannot lend a buffer at the last moment, such as a TLS
	// connection, waits with one byte of memory: what follows that byte is
	// there already when it returns.
	n, err := in.src.Read(in.oneByte[:])
	in.unread(in.oneByte[:n])
	return err
}

// fill reads once and buffers what it gets.
func (in *input) fill() error {
	if in.sock != nil {
		return in.sock.fill(in)
	}
	n, err := in.src.Read(in.room())
	in.buf.grown(n)
	in.releaseUnused()
	if n > 0 {
		return nil // the error comes again
	}
	return err
}

// unread adds what somebody else read from src behind what is buffered.
func (in *input) unread(p []byte) {
	for len(p) > 0 {
		n := copy(in.room(), p)
		in.buf.grown(n)
		p = p[n:]
	}
}

// Read takes what is buffered first and then reads from the connection directly.
func (in *input) Read(p []byte) (int, error) {
	if have := in.buffered(); len(have) > 0 {
		n := copy(p, have)
		in.use(n)
		return n, nil
	}
	return in.src.Read(p)
}
