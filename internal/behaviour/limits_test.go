package behaviour_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// Heads beyond the default limits: the exact limits are the parser's tests; here
// each has its status, the connection ends, and no handler runs. An answer
// reaches the client though more of the head is on its way.
func TestHeadLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	fields := func(n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("X-%d: v", i)
		}
		return all
	}
	tests := []struct {
		name, raw string
		want      string
	}{
		{"long target", get("/" + long(8000)), "200"},
		{"target too long", get("/" + long(9000)), "414"},
		{"target far too long", get("/" + long(500_000)), "414"},
		{"long field", get("/", "A: "+long(8000)), "200"},
		{"field too long", get("/", "A: "+long(9000)), "431"},
		{"field far too long", get("/", "A: "+long(500_000)), "431"},
		{"field name too long", get("/", long(9000)+": b"), "431"},
		{"many fields", get("/", fields(99)...), "200"},
		{"too many fields", get("/", fields(101)...), "431"},
		{"large head", get("/", "A: "+long(8000), "B: "+long(8000), "C: "+long(8000)), "200"},
		{"head too large", get("/", "A: "+long(8000), "B: "+long(8000), "C: "+long(8000), "D: "+long(8000), "E: "+long(8000)), "431"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, sayHello)
				c := s.Dial()
				sent := make(chan error, 1)
				go func() { sent <- c.TrySend(tt.raw) }()
				res := c.Response("")
				if got, want := fmt.Sprint(res.Status), expected(m, tt.name, tt.want); got != want {
					t.Errorf("status %s, want %s", got, want)
				}
				if res.Status != 200 {
					if res.Get("Connection") != "close" {
						t.Errorf("Connection: %q", res.Get("Connection"))
					}
					c.Closed()
				}
				c.Close()
				testserver.Receive(t, "the sender to end", sent)
			})
		})
	}
}

// pump sends start and then more, again and again, until the connection ends.
func pump(c *testserver.Client, start, more string) (ended <-chan error) {
	result := make(chan error, 1)
	go func() {
		err := c.TrySend(start)
		for more = strings.Repeat(more, max(1, 16<<10/len(more))); err == nil; {
			err = c.TrySend(more)
		}
		result <- err
	}()
	return result
}

// A head that never ends is refused while it still comes, and the refusal
// reaches the client that sends it.
func TestEndlessHead(t *testing.T) {
	tests := []struct{ name, start, more string }{
		{"method", "", "GET"},
		{"target", "GET /", "abc"},
		{"fields", "GET / HTTP/1.1\r\nHost: test\r\n", "A: b\r\n"},
		{"one field", "GET / HTTP/1.1\r\nHost: test\r\nA: ", "abc"},
		{"empty lines", "", "\r\n"},
		{"nulls", "", "\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, sayHello)
				c := s.Dial()
				ended := pump(c, tt.start, tt.more)
				if res := c.Head(""); res.Status < 400 {
					t.Errorf("status %d", res.Status)
				}
				c.Close()
				testserver.Receive(t, "the sender to end", ended)
				if s.Get("/").Text() != "hello" {
					t.Error("server does not serve any more")
				}
			})
		})
	}
}

// Extensions and trailers of a chunked body are no way around the limits.
func TestEndlessChunkedParts(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct{ name, start, more string }{
		{"chunk extension", head + "5;", "a"},
		{"many chunk extensions", head, "1;" + strings.Repeat("x", 1000) + "\r\na\r\n"},
		{"chunk size", head, "0"},
		{"trailer", head + "0\r\n", "A: b\r\n"},
		{"trailer field", head + "0\r\nA: ", "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				failed := make(chan error, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						sayHello(w, r)
						return
					}
					_, err := io.Copy(io.Discard, r.Body)
					failed <- err
				})
				c := s.Dial()
				ended := pump(c, tt.start, tt.more)
				if testserver.Receive(t, "the handler", failed) == nil {
					t.Error("body ended well")
				}
				c.Close()
				testserver.Receive(t, "the sender to end", ended)
				if s.Get("/").Text() != "hello" {
					t.Error("server does not serve any more")
				}
			})
		})
	}
}
