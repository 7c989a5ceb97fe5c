package static

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// finishedWriter is what a ResponseWriter offers that can take a whole response
// at once: head are the field lines, each with its CRLF, and body is not sent
// where the request or the status forbid it. Neither is kept. If the writer
// cannot do it, the error is http.ErrNotSupported and nothing was written.
type finishedWriter interface {
	WriteFinished(status int, head, body []byte) (int, error)
}

// respond answers the GET or HEAD r with res.
func (h *Handler) respond(w http.ResponseWriter, r *http.Request, res *resource) {
	h.answer(w, r, res, choose(res.reps, r.Header), nil)
}

// answer answers r with rep. f is rep's file if it is open already; answer opens
// it where it needs it, and answers with what it finds if rep is out of date.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, res *resource, rep *representation, f *os.File) {
	switch evaluate(r.Header, rep) {
	case conditionNotModified:
		if !finished(w, http.StatusNotModified, rep.notModified, nil) {
			setFields(w.Header(), rep.validators)
			w.WriteHeader(http.StatusNotModified)
		}
		return
	case conditionFailed:
		errorpage.Write(w, r, http.StatusPreconditionFailed, "The file is not the one that was meant.")
		return
	case conditionMet:
	}
	var ranges []byteRange
	if lines, ok := r.Header["Range"]; ok && r.Method == http.MethodGet && rangeApplies(r.Header, rep) {
		var verdict rangeVerdict
		if ranges, verdict = parseRange(lines, rep.size); verdict == rangeNot {
			w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(rep.size, 10))
			errorpage.Write(w, r, http.StatusRequestedRangeNotSatisfiable, "The file has no such part.")
			return
		}
	}
	if rep.body != nil && f == nil {
		respondFromMemory(w, r, rep, ranges)
		return
	}
	if r.Method == http.MethodHead {
		writeHead(w, http.StatusOK, rep.fields, rep.size)
		return
	}
	if f == nil {
		h.answerFromFile(w, r, res, rep, ranges)
		return
	}
	sendFile(w, f, rep, ranges)
}

// answerFromFile opens the file of rep and sends it.
func (h *Handler) answerFromFile(w http.ResponseWriter, r *http.Request, res *resource, rep *representation, ranges []byteRange) {
	var f *os.File
	var present *representation
	err := h.user.Do(func() (err error) {
		f, present, err = h.reopen(res, rep)
		return err
	})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer f.Close()
	if present != rep {
		// Another state of the file: conditions and ranges are to be seen anew.
		h.answer(w, r, res, present, f)
		return
	}
	sendFile(w, f, rep, ranges)
}

// reopen opens the file of rep. If that has become another file since, what
// comes back is the representation of that one.
//
// That rep's name leads through no link was found out when res was last
// confirmed. So it is enough here that the file is the same one: a link that has
// come since can lead to nothing else.
func (h *Handler) reopen(res *resource, rep *representation) (*os.File, *representation, error) {
	top, err := res.root.acquire()
	if err != nil {
		return nil, nil, err
	}
	defer res.root.release(top)
	f, info, err := nofollow.Following(top.Root, rep.name)
	if err == nil && identify(info) == rep.id {
		return f, rep, nil
	}
	if err == nil {
		_ = f.Close()
	}
	f, info, err = nofollow.FileBelow(top.Root, rep.name)
	if err != nil {
		return nil, nil, err
	}
	present, _, err := h.represent(f, info, rep.form)
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, present, nil
}

// respondFromMemory answers with the body that rep holds.
func respondFromMemory(w http.ResponseWriter, r *http.Request, rep *representation, ranges []byteRange) {
	if len(ranges) == 0 {
		if !finished(w, http.StatusOK, rep.ok, rep.body) {
			writeWhole(w, r, http.StatusOK, rep.fields, rep.body)
		}
		return
	}
	fields, body := rep.fields, rep.body
	if len(ranges) == 1 {
		part := ranges[0]
		fields = append(slices.Clip(fields), field{"Content-Range", part.contentRange(rep.size)})
		body = body[part.start:][:part.length]
	} else {
		m := newMultipart(rep, ranges)
		fields, body = m.fields(), make([]byte, 0, m.size)
		for i, part := range ranges {
			body = append(body, m.heads[i]...)
			body = append(body, rep.body[part.start:][:part.length]...)
		}
		body = append(body, m.end...)
	}
	head := appendFields(nil, fields)
	head = appendFields(head, []field{{"Content-Length", strconv.Itoa(len(body))}})
	if !finished(w, http.StatusPartialContent, head, body) {
		writeWhole(w, r, http.StatusPartialContent, fields, body)
	}
}

// sendFile answers a GET with f, whose representation is rep.
func sendFile(w http.ResponseWriter, f *os.File, rep *representation, ranges []byteRange) {
	switch len(ranges) {
	case 0:
		writeHead(w, http.StatusOK, rep.fields, rep.size)
		copyPart(w, f, byteRange{0, rep.size})
	case 1:
		fields := append(slices.Clip(rep.fields), field{"Content-Range", ranges[0].contentRange(rep.size)})
		writeHead(w, http.StatusPartialContent, fields, ranges[0].length)
		copyPart(w, f, ranges[0])
	default:
		m := newMultipart(rep, ranges)
		writeHead(w, http.StatusPartialContent, m.fields(), m.size)
		for i, part := range ranges {
			writeOrAbort(w, m.heads[i])
			copyPart(w, f, part)
		}
		writeOrAbort(w, m.end)
	}
}

// copyPart sends part of f. The limited reader that io.CopyN puts around the file
// is what net/http and the engine know to send without copying.
//
// The head has promised the length: if the file has become shorter, or the
// client has gone, the only honest end is to cut the connection.
func copyPart(w io.Writer, f *os.File, part byteRange) {
	if part.start > 0 {
		if _, err := f.Seek(part.start, io.SeekStart); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if _, err := io.CopyN(w, f, part.length); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func writeOrAbort(w io.Writer, p []byte) {
	if _, err := w.Write(p); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// multipart is the frame of a response with several ranges (RFC 9110 section
// 14.6): what comes before each part and after the last one.
type multipart struct {
	rep      *representation
	boundary string
	heads    [][]byte
	end      []byte
	size     int64 // of the whole body
}

func newMultipart(rep *representation, ranges []byteRange) *multipart {
	m := &multipart{rep: rep, boundary: rand.Text()} // 26 letters and figures
	for i, part := range ranges {
		var head []byte
		if i > 0 {
			head = append(head, "\r\n"...)
		}
		head = append(head, "--"+m.boundary+"\r\n"...)
		head = appendFields(head, []field{{"Content-Type", rep.contentType}, {"Content-Range", part.contentRange(rep.size)}})
		head = append(head, "\r\n"...)
		m.heads = append(m.heads, head)
		m.size += int64(len(head)) + part.length
	}
	m.end = []byte("\r\n--" + m.boundary + "--\r\n")
	m.size += int64(len(m.end))
	return m
}

// fields are those of the whole response: the type is the frame's.
func (m *multipart) fields() []field {
	fields := slices.Clone(m.rep.fields)
	for i := range fields {
		if fields[i].name == "Content-Type" {
			fields[i].value = "multipart/byteranges; boundary=" + m.boundary
		}
	}
	return fields
}

// finished hands a whole response to w, if w takes such and nobody outside has
// set a field that head has too.
func finished(w http.ResponseWriter, status int, head, body []byte) bool {
	fw, ok := w.(finishedWriter)
	if !ok {
		return false
	}
	if clashes(w.Header()) {
		return false
	}
	_, err := fw.WriteFinished(status, head, body)
	// Any other error is a client that left.
	return err == nil || !errors.Is(err, http.ErrNotSupported)
}

// clashes reports whether somebody outside has set a field that the finished heads
// have.
func clashes(h http.Header) bool {
	if _, ok := h[requestid.Field]; ok && len(h) == 1 {
		return false // by far the most frequent case, and to go through a map is slow
	}
	for name := range h {
		switch name {
		case "Content-Type", "Content-Length", "Content-Encoding", "Content-Range", "Etag", "Last-Modified",
			"Cache-Control", "Accept-Ranges", "X-Content-Type-Options":
			return true
		}
	}
	return false
}

// writeWhole is what finished does, by the methods that every writer has.
func writeWhole(w http.ResponseWriter, r *http.Request, status int, fields []field, body []byte) {
	writeHead(w, status, fields, int64(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left is no error of ours
	}
}

func writeHead(w http.ResponseWriter, status int, fields []field, length int64) {
	setFields(w.Header(), fields)
	w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	w.WriteHeader(status)
}

// setFields puts fields into head. What is policy, not description of the body,
// stays as somebody outside has set it.
func setFields(head http.Header, fields []field) {
	for _, f := range fields {
		switch f.name {
		case "Cache-Control", "X-Content-Type-Options":
			if len(head[f.name]) == 0 {
				head.Set(f.name, f.value)
			}
		case "Vary":
			head.Add(f.name, f.value)
		default:
			head.Set(f.name, f.value)
		}
	}
}
