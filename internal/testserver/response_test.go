package testserver

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func read(raw, method string) (*Response, error) {
	r := bufio.NewReader(strings.NewReader(raw))
	res, err := readHead(r, method)
	if err != nil {
		return res, err
	}
	return res, res.readBody(r)
}

// What no server may send must not pass for an answer.
func TestMalformedResponses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct{ name, raw string }{
		{"no version", "200 OK\r\n\r\n"},
		{"other version", "HTTP/2.0 200 OK\r\n\r\n"},
		{"no reason's space", "HTTP/1.1 200\r\n\r\n"},
		{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
		{"status below 100", "HTTP/1.1 099 OK\r\n\r\n"},
		{"LF alone", "HTTP/1.1 200 OK\n\n"},
		{"CR in a line", ok + "A: b\rc\r\n\r\n"},
		{"NUL in a value", ok + "A: b\x00\r\n\r\n"},
		{"no colon", ok + "A\r\n\r\n"},
		{"no name", ok + ": b\r\n\r\n"},
		{"space in a name", ok + "A b: c\r\n\r\n"},
		{"space before the colon", ok + "A : c\r\n\r\n"},
		{"folded field", ok + "A: b\r\n c\r\n\r\n"},
		{"two spaces before the value", ok + "A:  b\r\n\r\n"},
		{"space behind the value", ok + "A: b \r\n\r\n"},
		{"two lengths", ok + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"},
		{"length and chunked", ok + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"length that is none", ok + "Content-Length: x\r\n\r\n"},
		{"negative length", ok + "Content-Length: -1\r\n\r\n"},
		{"other coding", ok + "Transfer-Encoding: gzip\r\n\r\n"},
		{"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
		{"100 with a coding", "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"chunk size with a sign", ok + "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n"},
		{"chunk size with zeros", ok + "Transfer-Encoding: chunked\r\n\r\n01\r\na\r\n0\r\n\r\n"},
		{"chunk size missing", ok + "Transfer-Encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n"},
		{"chunk extension", ok + "Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n"},
		{"chunk too long", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"},
		{"length in the trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if res, err := read(tt.raw, "GET"); !errors.Is(err, errMalformed) {
				t.Errorf("got %+v, %v", res, err)
			}
		})
	}
}

// A response that ends too early says so, with what had come.
func TestCutResponses(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct{ name, raw, body string }{
		{"in the status line", "HTTP/1.1 20", ""},
		{"in the fields", "HTTP/1.1 200 OK\r\nA: b\r\n", ""},
		{"in the length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "hel"},
		{"in a chunk", chunked + "5\r\nhel", ""},
		{"behind a chunk", chunked + "5\r\nhello\r\n", "hello"},
		{"before the trailer's end", chunked + "5\r\nhello\r\n0\r\n", "hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := read(tt.raw, "GET")
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", err)
			}
			if res != nil && res.Text() != tt.body {
				t.Errorf("body %q, want %q", res.Body, tt.body)
			}
		})
	}
	if _, err := read("", "GET"); err != io.EOF {
		t.Errorf("nothing at all: %v, want EOF", err)
	}
}

func TestResponses(t *testing.T) {
	tests := []struct {
		name, raw, method string
		framing           Framing
		body              string
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "GET", Length, "ab"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n", "GET", Chunked, "a0123456789"},
		{"until close", "HTTP/1.0 200 OK\r\n\r\nab", "GET", UntilClose, "ab"},
		{"no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "GET", Length, ""},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", NoBody, ""},
		{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", NoBody, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := read(tt.raw, tt.method)
			if err != nil || res.Framing != tt.framing || res.Text() != tt.body {
				t.Errorf("got %+v, %v", res, err)
			}
		})
	}
}
