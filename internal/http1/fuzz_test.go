package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
	"github.com/seed-07905ac1/gatehouse/internal/http1/http1test"
)

// FuzzHead holds a whole request, head and body, to these: no panic; however
// the bytes are cut, the outcome is the same; what we accept is well-formed, and
// net/http accepts it and sees the same, except for the table of divergences.
func FuzzHead(f *testing.F) {
	for _, r := range http1test.Malformed(f) {
		if len(r.Raw) < 1000 {
			f.Add([]byte(r.Raw))
		}
	}
	for _, d := range divergences {
		f.Add([]byte(d.raw))
	}
	f.Add([]byte(browserHead))
	var names []string
	for _, d := range divergences {
		if d.status == 0 {
			names = append(names, d.name)
		}
	}
	small := &http1.Limits{RequestLine: 80, Field: 40, Fields: 4, Head: 200}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 4<<10 {
			return // byte by byte costs the square
		}
		for _, lim := range []*http1.Limits{nil, small} {
			whole := read(raw, max(len(raw), 1), lim)
			for _, step := range []int{1, 3} {
				if pieces := read(raw, step, lim); !same(whole, pieces) {
					t.Fatalf("in pieces of %d:\n%+v\nat once:\n%+v", step, pieces, whole)
				}
			}
		}
		ours := read(raw, max(len(raw), 1), nil)
		if ours.err != nil {
			return
		}
		checkFields(t, ours.head.Header)
		checkFields(t, ours.trailer)
		theirs, err := readNet(raw, false)
		if err == nil && compare(ours, theirs, nil) == nil {
			return
		}
		if theirs, err = readNet(raw, true); err != nil {
			t.Fatalf("net/http refuses what we accept: %v\n%q", err, raw)
		}
		if err := compare(ours, theirs, names); err != nil {
			t.Fatalf("%v\n%q", err, raw)
		}
	})
}

// FuzzChunked holds a chunked body to these: no panic; however it is cut, and
// decoded into itself, the outcome is the same; what we accept net/http accepts
// as the same data; what we encode, we decode.
func FuzzChunked(f *testing.F) {
	for _, r := range http1test.Malformed(f) {
		if _, body, ok := strings.Cut(r.Raw, "\r\n\r\n"); ok && r.Where == http1test.InBody && len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
	f.Add([]byte("5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\nrest"))
	f.Fuzz(func(t *testing.T, coded []byte) {
		if len(coded) > 64<<10 {
			return
		}
		raw := append([]byte(chunked), coded...)
		whole := read(raw, len(raw), nil)
		for _, step := range []int{1 + len(raw)/1000, 3 + len(raw)/1000} {
			if pieces := read(raw, step, nil); !same(whole, pieces) {
				t.Fatalf("in pieces of %d:\n%+v\nat once:\n%+v", step, pieces, whole)
			}
		}
		var d http1.ChunkedDecoder
		buf := bytes.Clone(coded)
		nd, ns, err := d.Decode(buf, buf)
		if !bytes.Equal(buf[:nd], whole.body) || err == io.EOF && !bytes.Equal(buf[ns:], whole.rest) {
			t.Fatalf("in place: data %q, rest %q, want %q, %q", buf[:nd], buf[ns:], whole.body, whole.rest)
		}
		if whole.err == nil {
			checkFields(t, whole.trailer)
			data, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(coded)))
			if err != nil || !bytes.Equal(data, whole.body) {
				t.Fatalf("net/http sees %q, %v, we %q", data, err, whole.body)
			}
		}
		checkRoundTrip(t, coded)
	})
}

// checkRoundTrip encodes data in chunks of growing size and decodes them.
func checkRoundTrip(t *testing.T, data []byte) {
	t.Helper()
	coded := []byte(chunked)
	for size, rest := 1, data; len(rest) > 0; size *= 2 {
		n := min(size, len(rest))
		coded = http1.AppendChunkHead(coded, int64(n))
		coded = append(append(coded, rest[:n]...), http1.ChunkEnd...)
		rest = rest[n:]
	}
	coded = http1.AppendLastChunk(coded, map[string][]string{"X-End": {"yes"}})
	m := read(coded, len(coded), nil)
	if m.err != nil || !bytes.Equal(m.body, data) || m.trailer["X-End"] == nil {
		t.Fatalf("round trip: %q, %v, trailer %q, want %q", m.body, m.err, m.trailer, data)
	}
}

// FuzzResponse writes a response as an engine does and reads it back by
// net/http: status, fields and body survive, the connection ends when we think
// so, and the response behind it on the connection begins where it should.
func FuzzResponse(f *testing.F) {
	f.Add("GET", 1, 200, false, "X-A", "b", "", "", "", []byte("hello"), false)
	f.Add("GET", 1, 200, false, "X-A", "b", "5", "", "", []byte("hello"), true)
	f.Add("HEAD", 1, 200, false, "Trailer", "X-End", "5", "", "", []byte("hello"), true)
	f.Add("GET", 1, 200, true, "Trailer", "X-End", "", "", "", []byte("hello"), false)
	f.Add("GET", 0, 200, false, "Etag", "\"a\"", "", "chunked", "keep-alive", []byte("hello"), true)
	f.Add("GET", 1, 200, false, "X", "y\r\nContent-Length: 0", "-5", "identity", "", []byte("hello"), true)
	f.Add("GET", 1, 304, false, "Bad\r\nName", "y", "5", "chunked", "close, foo", []byte("hello"), false)
	f.Add("POST", 1, 204, true, "Te", "y", "0", "gzip", "upgrade\r\n", []byte(""), false)
	f.Fuzz(func(t *testing.T, method string, minor, status int, closes bool,
		name, value, length, coding, connection string, body []byte, flushed bool,
	) {
		if method == "CONNECT" || minor < 0 || minor > 1 || status < 200 || status > 999 {
			return
		}
		header := map[string][]string{http.CanonicalHeaderKey(name): {value}}
		for key, v := range map[string]string{"Content-Length": length, "Transfer-Encoding": coding, "Connection": connection} {
			if v != "" {
				header[key] = []string{v}
			}
		}
		r := http1.Response{Method: method, Minor: minor, Status: status, Header: header, Length: int64(len(body)), Close: closes, KeepAlive: minor == 0}
		if flushed {
			r.Length = -1
		}
		framing := http1.FrameResponse(&r)
		if framing.BodySent && framing.ContentLength >= 0 && framing.ContentLength != int64(len(body)) {
			return // the engine ends the connection in the middle of the body
		}
		wire := writeResponse(&r, &framing, body)
		if !framing.Close {
			wire = append(wire, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"...)
		}

		conn := bufio.NewReader(bytes.NewReader(wire))
		got, err := http.ReadResponse(conn, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("net/http refuses: %v\n%q", err, wire)
		}
		data, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatalf("net/http refuses the body: %v\n%q", err, wire)
		}
		if got.StatusCode != status || got.Close != framing.Close {
			t.Errorf("status %d, close %t, want %d, %t\n%q", got.StatusCode, got.Close, status, framing.Close, wire)
		}
		if framing.BodySent && !bytes.Equal(data, body) || !framing.BodySent && len(data) > 0 {
			t.Errorf("body %q, want %q\n%q", data, body, wire)
		}
		key := http.CanonicalHeaderKey(name)
		plain := http1.ValidFieldName(key) && http1.ValidFieldValue(value) && !http1.FramingField(key) && key != "Trailer"
		if plain && got.Header.Get(key) != strings.Trim(value, " \t") {
			t.Errorf("%s: %q, want %q\n%q", key, got.Header.Get(key), value, wire)
		}
		if framing.Close {
			return
		}
		next, err := http.ReadResponse(conn, nil)
		if err != nil || next.StatusCode != 299 {
			t.Errorf("the next response is lost: %v\n%q", err, wire)
		}
	})
}

// writeResponse writes a response whose body goes out in one piece.
func writeResponse(r *http1.Response, f *http1.Framing, body []byte) []byte {
	wire := http1.AppendStatusLine(nil, r.Status)
	wire = f.Append(wire)
	wire = http1.AppendHeader(wire, r.Header, func(name string) bool {
		return http1.FramingField(name) || name == "Trailer" && !f.Trailer
	})
	wire = append(wire, "\r\n"...)
	switch {
	case !f.BodySent:
	case !f.Chunked:
		wire = append(wire, body...)
	default:
		if len(body) > 0 {
			wire = http1.AppendChunkHead(wire, int64(len(body)))
			wire = append(append(wire, body...), http1.ChunkEnd...)
		}
		wire = http1.AppendLastChunk(wire, nil)
	}
	return wire
}

// same reports whether two readings of the same bytes came to the same: for an
// error, the same status; for bytes that are missing, the same so far.
func same(a, b message) bool {
	var ea, eb *http1.Error
	if errors.As(a.err, &ea) || errors.As(b.err, &eb) {
		errors.As(b.err, &eb)
		return ea != nil && eb != nil && ea.Status == eb.Status && a.headDone == b.headDone
	}
	return a.err == b.err && reflect.DeepEqual(a.head, b.head) && a.headDone == b.headDone &&
		bytes.Equal(a.body, b.body) && reflect.DeepEqual(a.trailer, b.trailer) && bytes.Equal(a.rest, b.rest)
}

func checkFields(t *testing.T, h map[string][]string) {
	t.Helper()
	for name, values := range h {
		if !http1.ValidFieldName(name) || name != http.CanonicalHeaderKey(name) {
			t.Fatalf("name %q", name)
		}
		for _, value := range values {
			if !http1.ValidFieldValue(value) || value != strings.Trim(value, " \t") {
				t.Fatalf("value %q of %s", value, name)
			}
		}
	}
}
