package gatehouse

import (
	"net/http"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// commit decides how the response is framed and writes its head to the output
// of the connection, without sending it. next is what of the body follows what
// is buffered; with whole set nothing follows, so that the length is known. It
// does nothing the second time.
func (w *response) commit(next []byte, whole bool) {
	if w.committed {
		return
	}
	w.settleBody()
	fields := w.fields()
	trailers := w.announceTrailers(fields)
	length := int64(-1)
	if whole && !trailers && !sets(fields, "Transfer-Encoding") {
		length = w.written
	}
	w.frame(fields, length)
	out := w.c.out.next()
	b := w.appendStart(out.b, w.status, sets(fields, "Date"), sets(fields, "Server"))
	b = http1.AppendHeader(b, fields, w.skips)
	if kind := w.sniff(fields, next); kind != "" {
		b = http1.AppendField(b, "Content-Type", kind)
	}
	b = w.framing.Append(b)
	out.b = append(b, "\r\n"...)
}

// sets reports whether the handler has set a field, be it to nothing: that is
// how a handler says that it wants none.
func sets(fields http.Header, name string) bool {
	_, ok := fields[name]
	return ok
}

// frame decides how the response is delimited. length is that of the whole
// body, or -1 while that is open.
func (w *response) frame(fields http.Header, length int64) {
	w.framing = http1.FrameResponse(&http1.Response{
		Method:    w.req.Method,
		Minor:     w.minor,
		Status:    w.status,
		Header:    fields,
		Length:    length,
		Close:     w.close || w.broken || w.c.srv.draining.Load(),
		KeepAlive: w.keepAlive,
	})
	w.committed = true
}

// appendStart writes the status line and the fields that every response has.
func (w *response) appendStart(b []byte, status int, dated, named bool) []byte {
	b = http1.AppendStatusLine(b, status)
	if !dated {
		b = append(b, w.c.srv.clock.date()...)
	}
	if !named {
		b = append(b, w.c.srv.name...)
	}
	return b
}

// settleBody decides, before the head is written, what becomes of a request
// body that the handler has not read: a small rest is read, so that the
// connection can be kept; otherwise the response says that it ends. Reading
// comes first because a client that writes its request to the end before it
// reads anything would wait for us as we for it.
func (w *response) settleBody() {
	if w.body == nil {
		return
	}
	if w.mayContinue {
		w.continued.Lock()
		defer w.continued.Unlock()
		if w.expects {
			// The client has sent no body yet, and may or may not send one
			// now (RFC 9110 section 10.1.1).
			w.expects = false
			w.broken = true
			return
		}
	}
	if w.fullDuplex {
		return
	}
	if !w.close && !w.broken && !w.body.drain() {
		w.broken = true
	}
	w.body.Close() // what was thrown away would be missing in what is read later
}

// announceTrailers remembers the trailer fields that the handler has announced
// and reports whether there are any.
func (w *response) announceTrailers(fields http.Header) bool {
	for _, list := range fields["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if name != "" && http1.TrailerAllowed(name) {
				w.trailers = append(w.trailers, name)
			}
		}
	}
	if len(w.trailers) > 0 {
		return true
	}
	for key := range fields {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// skips reports whether a field of the handler's does not belong in the head:
// framing is ours to say, and trailers come later.
func (w *response) skips(key string) bool {
	switch {
	case http1.FramingField(key), strings.HasPrefix(key, http.TrailerPrefix):
		return true
	case w.status == http.StatusNotModified && key == "Content-Type":
		return true // there is no content that it could be the type of
	}
	return slices.Contains(w.trailers, key)
}

// sniff guesses the Content-Type from the body, if the handler has said nothing
// about it. It returns "" if there is nothing to say.
func (w *response) sniff(fields http.Header, next []byte) string {
	if sets(fields, "Content-Type") || !bodyAllowed(w.status) {
		return ""
	}
	if fields.Get("Content-Encoding") != "" || sets(fields, "Transfer-Encoding") {
		return "" // these bytes are not the content's
	}
	first := next
	if w.bufLen() > 0 {
		first = w.buf.b
		if len(first) < sniffLen && len(next) > 0 {
			first = append(append(make([]byte, 0, sniffLen), first...), next[:min(len(next), sniffLen-len(first))]...)
		}
	}
	if len(first) == 0 {
		return ""
	}
	return http.DetectContentType(first)
}

// finalTrailers are the trailer fields as the handler left them.
func (w *response) finalTrailers() map[string][]string {
	var fields map[string][]string
	add := func(name string, values []string) {
		if fields == nil {
			fields = map[string][]string{}
		}
		fields[name] = append(fields[name], values...)
	}
	for key, values := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok && http1.TrailerAllowed(name) {
			add(name, values)
		}
	}
	for _, name := range w.trailers {
		if values, ok := w.header[name]; ok {
			add(name, values)
		}
	}
	return fields
}
