package cgi_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
)

// FuzzResponseHead holds what is true of every head: where it ends does not
// depend on how it arrives, and what it yields can be written into a response
// without becoming anything else.
func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		"Content-Type: text/plain\n\nhello",
		"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n",
		"Location: /x?y\n\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"\n\n", "\r\n", "X: a\rb\n\n", "a\n\r\n\n", "Content-Length: 1\nContent-Length: 2\n\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, nph bool) {
		end := cgi.EndOfHead(b, 0)
		for n := range len(b) + 1 {
			if got := cgi.EndOfHead(b[:n], n-3); got >= 0 {
				if got != end || got != n {
					t.Fatalf("byte at a time the head ends at %d, seen with %d bytes; at once at %d", got, n, end)
				}
				break
			}
			if n == len(b) && end >= 0 {
				t.Fatalf("byte at a time the head does not end, at once at %d", end)
			}
		}
		if end < 0 {
			return
		}
		status, fields, err := cgi.ParseHead(b[:end], nph)
		if err != nil {
			return
		}
		if status < 200 || status > 599 {
			t.Errorf("status %d", status)
		}
		for name, values := range fields {
			for _, value := range values {
				if strings.ContainsAny(name+value, "\r\n\x00") || name == "" || value != strings.Trim(value, " \t") {
					t.Errorf("field %q: %q", name, value)
				}
				if !bytes.Contains(b, []byte(value)) {
					t.Errorf("value %q is not in the head", value)
				}
			}
			switch name {
			case "Connection", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Trailer", "X-Request-Id":
				t.Errorf("field %s came through", name)
			}
		}
	})
}
