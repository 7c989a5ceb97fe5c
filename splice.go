package gatehouse

import (
	"errors"
	"io"
	"io/fs"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// minSplice is how much must be in a pipe for it to be worth passing on without
// copying: below, the additional system calls cost more.
const minSplice = 32 << 10

// pipeBehind returns the pipe that src reads from, if what is in it can be passed
// on by the kernel in this response. Only a bounded read may wait for nothing but
// the client, so src has to be limited to what its pipe holds already.
func (w *response) pipeBehind(src io.Reader) (pipe regularFile, limited *io.LimitedReader) {
	limited, ok := src.(*io.LimitedReader)
	if !ok || limited.N < minSplice || w.isHead || !bodyAllowed(w.status) || w.c.tls != nil || !w.c.sock.raw.ok() || w.needsSniff() {
		return nil, nil
	}
	file, ok := limited.R.(regularFile)
	if !ok {
		return nil, nil
	}
	info, err := file.Stat()
	if err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		return nil, nil
	}
	return file, limited
}

// spliceFrom passes on what is in a pipe, as one chunk for each time it is looked
// into, and copies what is too little for that.
func (w *response) spliceFrom(pipe regularFile, src *io.LimitedReader) (n int64, err error) {
	for src.N > 0 {
		size := min(w.c.sock.raw.pending(pipe), src.N)
		if w.declared >= 0 {
			size = min(size, w.declared-w.written)
		}
		if size < minSplice {
			break
		}
		w.commit(nil, false)
		if w.bufLen() > 0 {
			if _, err := w.emit(nil); err != nil {
				return n, w.sent(err)
			}
		}
		if w.framing.Chunked {
			out := w.c.out.next()
			out.b = http1.AppendChunkHead(out.b, size)
		}
		// What is spliced follows at once: a packet of a few bytes would wake the
		// client for nothing.
		w.c.sock.raw.more = true
		err := w.c.out.flush()
		w.c.sock.raw.more = false
		if err != nil {
			return n, w.sent(err)
		}
		sent, err := w.c.sock.raw.splice(pipe, size)
		src.N -= sent
		n += sent
		w.written += sent
		if sent < size && err == nil {
			err = io.ErrUnexpectedEOF // somebody else reads the pipe
		}
		if sent == 0 && errors.Is(err, errors.ErrUnsupported) && !w.framing.Chunked {
			break
		}
		if err != nil {
			return n, w.sent(err) // inside of what has been announced
		}
		if w.framing.Chunked {
			out := w.c.out.next() // it leaves with what comes next
			out.b = append(out.b, http1.ChunkEnd...)
		}
	}
	more, err := w.copyFrom(src)
	return n + more, err
}
