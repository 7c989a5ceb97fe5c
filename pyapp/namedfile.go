package pyapp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// joinRedirects returns what a worker is told of the folders that it may open
// files in: prefix, folder, prefix, folder, with NUL between them.
func joinRedirects(redirects map[string]string) string {
	var parts []string
	for prefix, folder := range redirects {
		parts = append(parts, prefix, folder)
	}
	return strings.Join(parts, "\x00")
}

func onOff(is bool) string {
	if is {
		return "on"
	}
	return "off"
}

// sendNamed answers with the file that the application named instead of
// returning a body. head is checked. A plain answer to GET or HEAD is subject to
// preconditions and ranges, which the application knew nothing of.
func (p *Pool) sendNamed(w http.ResponseWriter, r *http.Request, c *call, head []byte) {
	s := c.answer.stream
	defer s.close()
	_, _, err := s.next(nil) // waits for the frame behind the file
	var file *os.File
	var size int64
	if errors.Is(err, io.EOF) {
		file, size, err = s.tail()
	}
	if err == nil && file == nil {
		p.log.Error("a worker answered nonsense", "request", c.id, "method", c.method, "path", c.path, "error", "a file was announced and did not come")
		err = errNonsense
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	h := w.Header()
	setHeader(h, head)
	status := c.answer.status
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	if isRead && (status == http.StatusOK || status == http.StatusPartialContent) {
		serveNamed(w, r, file)
		return
	}
	if mayHaveLength(status) {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead || !mayHaveLength(status) {
		return
	}
	if n, _ := io.Copy(w, io.LimitReader(file, size)); n < size {
		panic(http.ErrAbortHandler) // the file has become shorter, or the client has left
	}
}

// serveNamed sends file, or the parts of it that the client asks for. The
// validators are the application's where it gave any: it may know more of the
// file than its time.
func serveNamed(w http.ResponseWriter, r *http.Request, file *os.File) {
	info, err := file.Stat()
	if err != nil {
		panic(http.ErrAbortHandler) // an open regular file can be asked
	}
	h := w.Header()
	modified := info.ModTime()
	if text := h.Get("Last-Modified"); text != "" {
		modified, _ = http.ParseTime(text) // the zero time says nothing, and changes nothing
	}
	if h.Get("Etag") == "" {
		h.Set("Etag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	}
	http.ServeContent(measured{w, info.Size()}, r, "", modified, file)
}

// measured gives a complete response the length that http.ServeContent leaves
// out where there is a Content-Encoding: what it sends is the file as it is.
type measured struct {
	http.ResponseWriter
	size int64
}

// WriteHeader implements http.ResponseWriter.
func (m measured) WriteHeader(status int) {
	if status == http.StatusOK {
		m.Header().Set("Content-Length", strconv.FormatInt(m.size, 10))
	}
	m.ResponseWriter.WriteHeader(status)
}

// ReadFrom implements io.ReaderFrom: the file still reaches the socket by
// sendfile where the writer below can do that.
func (m measured) ReadFrom(src io.Reader) (int64, error) { return io.Copy(m.ResponseWriter, src) }

var _ io.ReaderFrom = measured{}
