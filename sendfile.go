package gatehouse

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"
)

// regularFile is a file that the kernel can send by itself: an *os.File, also
// behind the type without WriteTo that io.Copy passes on.
type regularFile interface {
	io.Reader
	syscall.Conn
	Stat() (fs.FileInfo, error)
}

var _ regularFile = (*os.File)(nil)

// ReadFrom implements io.ReaderFrom, which is what io.Copy looks for. A regular
// file, also one behind an io.LimitedReader, goes to a plain socket by sendfile
// if the length of the response is known. What a pipe holds, behind an
// io.LimitedReader of no more than that, goes by splice.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	if err := w.writable(0); err != nil {
		return 0, err
	}
	file, limit := w.sendable(src)
	if file == nil {
		if pipe, limited := w.pipeBehind(src); pipe != nil {
			return w.spliceFrom(pipe, limited)
		}
		return w.copyFrom(src)
	}
	if w.needsSniff() {
		// The type of a body is seen in its beginning.
		n, err = w.copyFrom(io.LimitReader(src, sniffLen))
		if err != nil || n < sniffLen {
			return n, err
		}
		limit -= n
	}
	room := w.declared - w.written
	w.commit(nil, false)
	if _, err := w.emit(nil); err != nil {
		return n, w.sent(err)
	}
	sent, err := w.c.sock.raw.sendFile(file, min(limit, room))
	if limited, ok := src.(*io.LimitedReader); ok {
		limited.N -= sent
	}
	n += sent
	w.written += sent
	if errors.Is(err, errors.ErrUnsupported) || err == nil && sent == room && limit > room {
		// What is left, if anything, goes the usual way, which also says so if
		// it is more than was announced.
		more, err := w.copyFrom(src)
		return n + more, err
	}
	return n, w.sent(err)
}

// sendable returns the file behind src, if it can be sent by the kernel in this
// response, and how much of it is wanted.
func (w *response) sendable(src io.Reader) (file regularFile, limit int64) {
	if w.isHead || w.declared < 0 || w.written > w.declared || !bodyAllowed(w.status) || w.c.tls != nil || !w.c.sock.raw.ok() {
		return nil, 0
	}
	limit = 1<<63 - 1
	if limited, ok := src.(*io.LimitedReader); ok {
		src, limit = limited.R, limited.N
	}
	file, ok := src.(regularFile)
	if !ok {
		return nil, 0
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, 0
	}
	return file, limit
}

// needsSniff reports whether the Content-Type of the response is still to be
// found out.
func (w *response) needsSniff() bool {
	if w.committed || w.bufLen() > 0 {
		return false
	}
	return w.fields.untyped()
}

// copyFrom copies src through memory.
func (w *response) copyFrom(src io.Reader) (int64, error) {
	piece := w.c.srv.buffers.getCopy()
	defer w.c.srv.buffers.putCopy(piece)
	return io.CopyBuffer(onlyWriter{w}, onlyReader{src}, piece[:])
}

// onlyWriter and onlyReader hide the abilities through which io.Copy would come
// back to ReadFrom.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)

var _ http.ResponseWriter = (*response)(nil)
