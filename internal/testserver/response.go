package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// Framing is how the end of a response's body is known (RFC 9112 section 6.3).
type Framing string

// The framings. NoBody is that of 1xx, 204, 304 and answers to HEAD.
const (
	NoBody     Framing = "no body"
	Length     Framing = "content-length"
	Chunked    Framing = "chunked"
	UntilClose Framing = "until close"
)

// Response is one answer as it stood on the wire.
type Response struct {
	Proto   string // HTTP/1.0 or HTTP/1.1
	Status  int
	Reason  string
	Header  http.Header // canonical keys, values in the order they came
	Framing Framing
	Length  int64 // the value of Content-Length, -1 without

	// Early holds the informational (1xx) heads that came before.
	Early []*Response

	Body    []byte
	Chunks  []string    // the data of each chunk as it was cut by the server
	Trailer http.Header // fields after the last chunk, nil without any
}

// Get is the first value of the field, as http.Header.Get.
func (r *Response) Get(name string) string { return r.Header.Get(name) }

// Text is the body as a string.
func (r *Response) Text() string { return string(r.Body) }

// errMalformed is what every violation of the grammar by the server wraps.
var errMalformed = errors.New("malformed response")

func malformed(format string, args ...any) error {
	return fmt.Errorf("testserver: %w: %s", errMalformed, fmt.Sprintf(format, args...))
}

// readLine reads a line that ends in CRLF and holds no other CR, LF or NUL.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		if err == io.EOF && line != "" {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(text, "\r\x00") {
		return "", malformed("line %q", line)
	}
	return text, nil
}

// readHead reads a status line and its fields, strictly: what a server must
// not send (whitespace around names, control bytes, two lengths) is an error.
// The error is io.EOF if the connection ended before the first byte.
func readHead(r *bufio.Reader, method string) (*Response, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	res := &Response{Length: -1}
	var code string
	var ok bool
	if res.Proto, code, ok = strings.Cut(line, " "); !ok {
		return nil, malformed("status line %q", line)
	}
	if code, res.Reason, ok = strings.Cut(code, " "); !ok || len(code) != 3 {
		return nil, malformed("status line %q", line)
	}
	res.Status, err = strconv.Atoi(code)
	if err != nil || res.Status < 100 || (res.Proto != "HTTP/1.1" && res.Proto != "HTTP/1.0") {
		return nil, malformed("status line %q", line)
	}
	if res.Header, err = readFields(r); err != nil {
		return nil, err
	}
	return res, res.frame(method)
}

// readFields reads field lines up to and with the empty line.
func readFields(r *bufio.Reader) (http.Header, error) {
	h := http.Header{}
	for {
		line, err := readLine(r)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || line == "" {
			return h, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return nil, malformed("field line %q", line)
		}
		// One space before the value is what every server sends; none is legal.
		value = strings.TrimPrefix(value, " ")
		if value != strings.Trim(value, " \t") || strings.ContainsFunc(value, isControl) {
			return nil, malformed("field value %q", line)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		h[key] = append(h[key], value)
	}
}

func isControl(c rune) bool { return c != '\t' && (c < ' ' || c == 0x7f) }

func isToken(s string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(marks, c))
	})
}

// frame decides how the body ends, by RFC 9112 section 6.3, and refuses what
// that section forbids a server to send.
func (res *Response) frame(method string) error {
	lengths, codings := res.Header["Content-Length"], res.Header["Transfer-Encoding"]
	if len(lengths) > 1 || len(codings) > 1 || len(lengths)+len(codings) > 1 {
		return malformed("framing fields %q %q", lengths, codings)
	}
	bodiless := res.Status < 200 || res.Status == http.StatusNoContent
	if bodiless && (len(lengths) > 0 || len(codings) > 0) {
		return malformed("%d with %q %q", res.Status, lengths, codings)
	}
	if len(lengths) == 1 {
		n, err := strconv.ParseUint(lengths[0], 10, 62)
		if err != nil {
			return malformed("Content-Length %q", lengths[0])
		}
		res.Length = int64(n)
	}
	switch {
	case bodiless, res.Status == http.StatusNotModified, method == http.MethodHead:
		res.Framing = NoBody
	case len(codings) == 1:
		if codings[0] != "chunked" || res.Proto != "HTTP/1.1" {
			return malformed("Transfer-Encoding %q in %s", codings[0], res.Proto)
		}
		res.Framing = Chunked
	case len(lengths) == 1:
		res.Framing = Length
	default:
		res.Framing = UntilClose
	}
	return nil
}

// readBody reads what frame said is there. The body that came before an error
// is kept.
func (res *Response) readBody(r *bufio.Reader) error {
	var err error
	switch res.Framing {
	case Length:
		res.Body = make([]byte, res.Length)
		var n int
		n, err = io.ReadFull(r, res.Body)
		res.Body = res.Body[:n]
	case UntilClose:
		res.Body, err = io.ReadAll(r)
	case Chunked:
		for {
			var chunk string
			if chunk, err = readChunk(r); err != nil || chunk == "" {
				break
			}
			res.Chunks = append(res.Chunks, chunk)
			res.Body = append(res.Body, chunk...)
		}
		if err == nil {
			res.Trailer, err = readTrailer(r)
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// readChunk reads one chunk's data; the last chunk gives the empty string.
// Chunk extensions are refused: no server here sends any.
func readChunk(r *bufio.Reader) (string, error) {
	line, err := readLine(r)
	if err != nil {
		return "", err
	}
	size, err := strconv.ParseUint(line, 16, 31)
	if err != nil || strings.HasPrefix(line, "+") || line != "0" && strings.HasPrefix(line, "0") {
		return "", malformed("chunk size %q", line)
	}
	if size == 0 {
		return "", nil
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return "", err
	}
	if line, err = readLine(r); err == nil && line != "" {
		err = malformed("chunk end %q", line)
	}
	return string(data), err
}

func readTrailer(r *bufio.Reader) (http.Header, error) {
	h, err := readFields(r)
	if err != nil || len(h) == 0 {
		return nil, err
	}
	for _, forbidden := range []string{"Content-Length", "Transfer-Encoding", "Host", "Trailer", "Connection"} {
		if slices.Contains(h[forbidden], h.Get(forbidden)) {
			return nil, malformed("trailer field %s", forbidden)
		}
	}
	return h, nil
}
