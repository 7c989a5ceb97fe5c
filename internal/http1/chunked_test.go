package http1_test

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

func TestDecode(t *testing.T) {
	type header = map[string][]string
	tests := []struct {
		name    string
		coded   string
		data    string
		trailer header
		rest    string
	}{
		{"empty", "0\r\n\r\n", "", nil, ""},
		{"several zeros", "0000\r\n\r\n", "", nil, ""},
		{"two chunks and a pipelined request", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /", "hello world", nil, "GET /"},
		{"sizes in both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", nil, ""},
		{"leading zeros", "0000000000000001\r\nx\r\n0\r\n\r\n", "x", nil, ""},
		{"line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", nil, ""},
		{"extensions", "1;a;b=c;d=\"e\tf;\"\r\nx\r\n0;last\r\n\r\n", "x", nil, ""},
		{"trailers", "0\r\nx-sum: 1\r\nX-SUM: 2 \r\nY:\r\n\r\nrest", "", header{"X-Sum": {"1", "2"}, "Y": {""}}, "rest"},
		{"forbidden trailers", "0\r\nContent-Length: 5\r\nhost: b\r\nAuthorization: x\r\nIf-Match: *\r\nX: y\r\n\r\n", "", header{"X": {"y"}}, ""},
		{"only forbidden trailers", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{len(tt.coded), 1, 3} {
				m := read([]byte(chunked+tt.coded), max(step, 1), nil)
				if m.err != nil {
					t.Fatalf("in pieces of %d: %v", step, m.err)
				}
				if string(m.body) != tt.data || string(m.rest) != tt.rest {
					t.Errorf("in pieces of %d: data %q, rest %q, want %q, %q", step, m.body, m.rest, tt.data, tt.rest)
				}
				if !reflect.DeepEqual(m.trailer, tt.trailer) {
					t.Errorf("in pieces of %d: trailer %q, want %q", step, m.trailer, tt.trailer)
				}
			}
		})
	}
}

func TestDecodeInPlace(t *testing.T) {
	buf := []byte("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nrest")
	var d http1.ChunkedDecoder
	nd, ns, err := d.Decode(buf, buf)
	if err != io.EOF || string(buf[:nd]) != "hello world" || string(buf[ns:]) != "rest" {
		t.Errorf("got %q, rest %q, %v", buf[:nd], buf[ns:], err)
	}
}

// TestDecodeIntoLittleRoom checks that the end of the body is seen with the
// last of its data when it is there, which spares the reader a call.
func TestDecodeIntoLittleRoom(t *testing.T) {
	coded := []byte("5\r\nhello\r\n0\r\n\r\n")
	var d http1.ChunkedDecoder
	dst := make([]byte, 3)
	nd, ns, err := d.Decode(dst, coded)
	if nd != 3 || err != nil {
		t.Fatalf("first: %d bytes, %v", nd, err)
	}
	nd, n, err := d.Decode(dst[:2], coded[ns:])
	if string(dst[:nd]) != "lo" || ns+n != len(coded) || err != io.EOF {
		t.Errorf("second: %q, read to %d of %d, %v", dst[:nd], ns+n, len(coded), err)
	}
	if _, n, err := d.Decode(dst, []byte("x")); n != 0 || err != io.EOF {
		t.Errorf("after the end: read %d, %v", n, err)
	}
}

func TestDecodeErrorsRepeat(t *testing.T) {
	var d http1.ChunkedDecoder
	_, _, first := d.Decode(nil, []byte("x"))
	_, n, second := d.Decode(nil, []byte("0\r\n\r\n"))
	if status(first) != 400 || second != first || n != 0 {
		t.Errorf("first %v, then %v with %d bytes read", first, second, n)
	}
}

// TestExtensionBudget checks that a long upload may carry extensions in
// proportion to its data, and that small chunks with large ones are refused.
func TestExtensionBudget(t *testing.T) {
	ext := ";" + strings.Repeat("e", 99)
	for _, tt := range []struct {
		name   string
		chunk  string
		status int
	}{
		{"as much as data", "64" + ext + "\r\n" + strings.Repeat("x", 100) + "\r\n", 0},
		{"a hundred times the data", "1" + ext + "\r\nx\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			coded := []byte(strings.Repeat(tt.chunk, 1000) + "0\r\n\r\n")
			var d http1.ChunkedDecoder
			_, _, err := d.Decode(make([]byte, len(coded)), coded)
			if status(err) != tt.status {
				t.Errorf("got %v, want status %d", err, tt.status)
			}
		})
	}
}
