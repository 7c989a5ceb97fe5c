package http1

import (
	"slices"
	"strconv"
)

// Response is what [FrameResponse] decides by, known when the response head is
// about to be written.
type Response struct {
	// Method and Minor are the request's.
	Method string
	Minor  int
	// Status is the final status, or 101. Other interim responses are not
	// framed: they have no body.
	Status int
	// Header is the handler's, and is not changed. Its Connection,
	// Content-Length, Transfer-Encoding and Trailer fields are read.
	Header map[string][]string
	// Length is the whole body's length in bytes if the handler has returned
	// and all of it is at hand, -1 as long as more may come. It counts what
	// the handler wrote, to a HEAD request too.
	Length int64
	// Close says that the connection ends after this response, whatever the
	// header says: the request asked for it, its body was not read, the
	// server shuts down.
	Close bool
	// KeepAlive is RequestHead.KeepAlive.
	KeepAlive bool
}

// Framing is how a response is delimited, and what its head says about it.
type Framing struct {
	// BodyAllowed says that this status may have content: not 1xx, 204, 304,
	// nor a 2xx to CONNECT (RFC 9112 section 6.3). It is true for HEAD, whose
	// handler may write although nothing is sent.
	BodyAllowed bool
	// BodySent says that what the handler writes goes out: BodyAllowed, and
	// the method is not HEAD.
	BodySent bool
	// Chunked says that the body goes out in the chunked coding.
	Chunked bool
	// ContentLength is what the Content-Length field says, -1 without one. If
	// BodySent, exactly that much must be sent, or the connection closed.
	ContentLength int64
	// Close says that the connection ends after this response. A body that
	// is sent with neither a length nor the chunked coding ends with it.
	Close bool
	// Connection is the value of the Connection field, empty without one.
	Connection string
	// Trailer says that announced trailer fields may be sent after the body.
	Trailer bool
	// BadLength says that the handler's Content-Length was not a number, and
	// was ignored: worth a line in the log.
	BadLength bool
}

// FrameResponse decides how a response is delimited (RFC 9112 sections 6 and
// 9). It is the only place that does. What the handler set is taken where it
// can be true: a Content-Length that is a number, "Transfer-Encoding: identity"
// as the wish for a body that ends with the connection, "Connection: close",
// other Connection options. What it cannot know is put right.
func FrameResponse(r *Response) Framing {
	f := Framing{
		BodyAllowed:   bodyAllowed(r.Method, r.Status),
		ContentLength: -1,
		Close:         r.Close || r.Minor == 0 && !r.KeepAlive,
	}
	head := r.Method == "HEAD"
	f.BodySent = f.BodyAllowed && !head
	if f.BodyAllowed {
		f.setBody(r, head)
	}
	if r.Method == "CONNECT" && !f.BodyAllowed {
		f.Close = true
	}
	f.setConnection(r)
	return f
}

// setBody chooses between a length, the chunked coding and the connection's end.
func (f *Framing) setBody(r *Response, head bool) {
	if lengths := r.Header["Content-Length"]; len(lengths) > 0 {
		n, ok := parseDigits(trim(lengths[0]))
		f.BadLength = !ok || len(lengths) > 1
		if !f.BadLength {
			f.ContentLength = n
			return
		}
	}
	trailer := len(r.Header["Trailer"]) > 0
	if r.Length > 0 || r.Length == 0 && !head {
		// A handler that wrote nothing to a HEAD request may have left it
		// out on purpose: its silence says nothing about the length.
		if !trailer || r.Minor == 0 || head {
			f.ContentLength = r.Length
			return
		}
	}
	if head {
		return
	}
	if r.Minor > 0 && !identity(r.Header["Transfer-Encoding"]) {
		f.Chunked, f.Trailer = true, trailer
		return
	}
	f.Close = true
}

// identity reports whether the handler asked for a body that ends with the
// connection. As a name of a coding identity is gone since RFC 7230; net/http
// keeps it as this wish, and reverse proxies use it.
func identity(codings []string) bool {
	return len(codings) == 1 && equalFold(codings[0], "identity")
}

// bodyAllowed reports whether a response may have content, the method HEAD
// aside (RFC 9112 section 6.3).
func bodyAllowed(method string, status int) bool {
	switch {
	case status < 200, status == 204, status == 304:
		return false
	}
	return method != "CONNECT" || status >= 300
}

// setConnection makes the Connection field: close where the connection ends,
// keep-alive where HTTP/1.0 asked for it, and the handler's other options, such
// as the Upgrade of a 101 or 426.
func (f *Framing) setConnection(r *Response) {
	set := r.Header["Connection"]
	if len(set) == 0 {
		switch {
		case f.Close:
			f.Connection = "close"
		case r.KeepAlive:
			f.Connection = "keep-alive"
		}
		return
	}
	var options []byte
	for option := range elements(set) {
		switch {
		case equalFold(option, "close"):
			f.Close = true
		case equalFold(option, "keep-alive"), !ValidFieldName(option):
		default:
			options = append(append(options, ", "...), option...)
		}
	}
	switch {
	case f.Close:
		options = slices.Insert(options, 0, []byte(", close")...)
	case r.KeepAlive:
		options = slices.Insert(options, 0, []byte(", keep-alive")...)
	}
	if len(options) > 0 {
		f.Connection = string(options[len(", "):])
	}
}

// FramingField reports whether a field is the framing's: those of the handler
// are not to be written, [Framing.Append] writes what is true. The name must be
// canonical.
func FramingField(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Transfer-Encoding":
		return true
	}
	return false
}

// Append appends the field lines of the framing: Connection, and
// Content-Length or Transfer-Encoding.
func (f *Framing) Append(dst []byte) []byte {
	dst = f.AppendConnection(dst)
	switch {
	case f.Chunked:
		return append(dst, "Transfer-Encoding: chunked\r\n"...)
	case f.ContentLength >= 0:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, f.ContentLength, 10)
		return append(dst, "\r\n"...)
	}
	return dst
}

// AppendConnection appends the Connection field alone, if there is one: for a
// head whose other fields are ready.
func (f *Framing) AppendConnection(dst []byte) []byte {
	if f.Connection == "" {
		return dst
	}
	return AppendField(dst, "Connection", f.Connection)
}
