package gatehouse

import (
	"net/http"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// headFields is what a response head takes from the header of the handler, as
// that was when the handler wrote the status: handlers keep the map and change
// it afterwards, for trailers or by mistake. A copy of the map would be several
// allocations for each response; ready field lines in a borrowed buffer are none.
type headFields struct {
	lines    *buffer                   // all but framing and trailers; nil if there are none
	framing  [len(framingNames)]string // the values of those fields
	dated    bool                      // there is a Date, be it of no value, which says that none is wanted
	named    bool                      // there is a Server
	typed    bool                      // there is a Content-Type
	encoded  bool                      // the content has an encoding
	transfer bool                      // there is a Transfer-Encoding
	trailers bool                      // trailer fields are announced
}

// framingNames are the fields that http1.FrameResponse decides by.
var framingNames = [...]string{
	framingLength: "Content-Length",
	1:             "Connection",
	2:             "Trailer",
	3:             "Transfer-Encoding",
}

// framingLength is where Content-Length stands in framingNames.
const framingLength = 0

// readFields looks through header.
func readFields(header http.Header) (f headFields) {
	for i, name := range framingNames {
		if values := header[name]; len(values) > 0 {
			f.framing[i] = strings.Join(values, ", ")
		}
	}
	f.dated = sets(header, "Date")
	f.named = sets(header, "Server")
	f.typed = sets(header, "Content-Type")
	f.encoded = header.Get("Content-Encoding") != ""
	f.transfer = sets(header, "Transfer-Encoding")
	return f
}

// sets reports whether the handler has set a field, be it to nothing: that is
// how a handler says that it wants none.
func sets(header http.Header, name string) bool {
	_, ok := header[name]
	return ok
}

// freeze takes over the header as it is now.
func (w *response) freeze() {
	if len(w.header["Content-Length"]) > 0 {
		w.declareLength()
	}
	w.fields = readFields(w.header)
	w.fields.trailers = w.announceTrailers()
	lines := w.c.srv.buffers.get()
	lines.b = http1.AppendHeader(lines.b, w.header, w.skips)
	w.fields.lines = lines
}

// commit decides how the response is framed and writes its head to the output
// of the connection, without sending it. next is what of the body follows what
// is buffered; with whole set nothing follows, so that the length is known. It
// does nothing the second time.
func (w *response) commit(next []byte, whole bool) {
	if w.committed {
		return
	}
	w.settleBody()
	length := int64(-1)
	if whole && !w.fields.trailers && !w.fields.transfer {
		length = w.written
	}
	w.frame(length)
	out := w.c.out.next()
	b := w.appendStart(out.b)
	if lines := w.fields.lines; lines != nil {
		b = append(b, lines.b...)
		w.c.srv.buffers.put(lines)
		w.fields.lines = nil
	}
	if kind := w.sniff(next); kind != "" {
		b = http1.AppendField(b, "Content-Type", kind)
	}
	b = w.framing.Append(b)
	out.b = append(b, "\r\n"...)
}

// frame decides how the response is delimited. length is that of the whole
// body, or -1 while that is open.
func (w *response) frame(length int64) {
	header := map[string][]string{} // does not escape
	for i, name := range framingNames {
		if w.fields.framing[i] != "" {
			header[name] = w.fields.framing[i : i+1]
		}
	}
	method := http.MethodGet // or another with the same framing: CONNECT reaches no handler
	if w.isHead {
		method = http.MethodHead
	}
	w.framing = http1.FrameResponse(&http1.Response{
		Method:    method, // not the request's, which a handler may have changed meanwhile
		Minor:     w.minor,
		Status:    w.status,
		Header:    header,
		Length:    length,
		Close:     w.close || w.broken || w.c.srv.draining.Load(),
		KeepAlive: w.keepAlive,
	})
	w.committed = true
}

// appendStart writes the status line and the fields that every response has.
func (w *response) appendStart(b []byte) []byte {
	b = http1.AppendStatusLine(b, w.status)
	if !w.fields.dated {
		b = append(b, w.c.srv.clock.date()...)
	}
	if !w.fields.named {
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
	if w.fullDuplex && !w.done.Load() {
		return
	}
	if !w.close && !w.broken && !w.body.drain() {
		w.broken = true
	}
	w.body.Close() // what was thrown away would be missing in what is read later
}

// announceTrailers remembers the trailer fields that the handler has announced
// and reports whether there are any.
func (w *response) announceTrailers() bool {
	for _, list := range w.header["Trailer"] {
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
	for key := range w.header {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// skips reports whether a field of the handler's does not belong in the head:
// framing is ours to say, and trailers come later. A field that is announced as
// a trailer and set already goes with both, as in net/http: whether trailers can
// be sent at all is known only to the framing.
func (w *response) skips(key string) bool {
	switch {
	case http1.FramingField(key), strings.HasPrefix(key, http.TrailerPrefix):
		return true
	}
	// Without content there is nothing that could be of a type.
	return w.status == http.StatusNotModified && key == "Content-Type"
}

// untyped reports whether the type of the content is open and shows in the bytes
// of the body: those of an encoded one are not the content's.
func (f *headFields) untyped() bool { return !f.typed && !f.encoded && !f.transfer }

// sniff guesses the Content-Type from the body, if the handler has said nothing
// about it. It returns "" if there is nothing to say.
func (w *response) sniff(next []byte) string {
	if !w.fields.untyped() || !bodyAllowed(w.status) {
		return ""
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
