package behaviour_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func path(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }

func TestPipeline(t *testing.T) {
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		requests []string
		want     []string // bodies in order
		closed   bool     // the server closes after the last
	}{
		{"two in one packet", path, []string{get("/a"), get("/b")}, []string{"/a", "/b"}, false},
		{"after a body", echo, []string{request("POST", "/", "one"), request("PUT", "/", "two"), get("/")}, []string{"one", "two", ""}, false},
		{"after a chunked body", echo, []string{chunked("/", "\r\n", "on", "e"), get("/"), chunked("/", "A: b\r\n\r\n", "two")}, []string{"one", "", "two"}, false},
		{"after an unread body", path, []string{request("POST", "/a", strings.Repeat("x", 5000)), get("/b")}, []string{"/a", "/b"}, false},
		{"after an unread chunked body", path, []string{chunked("/a", "\r\n", strings.Repeat("x", 5000)), get("/b")}, []string{"/a", "/b"}, false},
		{"after HTTP/1.0 keep-alive", path, []string{"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", get("/b")}, []string{"/a", "/b"}, false},
		{"close in the middle", path, []string{get("/a"), get("/b", "Connection: close"), get("/never")}, []string{"/a", "/b"}, true},
		{"body sent with Expect", echo, []string{request("POST", "/", "one", "Expect: 100-continue"), get("/")}, []string{"one", ""}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				c := testserver.Start(t, m, tt.handler).Dial()
				c.Send(strings.Join(tt.requests, ""))
				for i, want := range tt.want {
					if res := c.Response(""); res.Status != 200 || res.Text() != want {
						t.Fatalf("answer %d: %d %q, want %q", i, res.Status, res.Body, want)
					}
				}
				if tt.closed {
					c.Closed()
					return
				}
				c.Open("/")
			})
		})
	}
}

// A batch that is larger than any buffer on the way keeps its order, and the
// server answers while the client still sends.
func TestPipelineBatch(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		const count = 2000
		c := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.URL.Query().Get("n"))
		}).Dial()
		sent := make(chan error, 1)
		go func() {
			var b strings.Builder
			for i := range count {
				b.WriteString(get(fmt.Sprintf("/?n=%d", i), "X-Padding: "+strings.Repeat("p", 200)))
			}
			sent <- c.TrySend(b.String())
		}()
		for i := range count {
			if res := c.Response(""); res.Text() != fmt.Sprint(i) {
				t.Fatalf("answer %d: %d %q", i, res.Status, res.Body)
			}
		}
		if err := testserver.Receive(t, "the batch to be sent", sent); err != nil {
			t.Fatal(err)
		}
	})
}

// Requests of a pipeline never run at the same time: the second starts when
// the first has returned.
func TestPipelineIsSerial(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		running := make(chan struct{}, 1)
		c := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			select {
			case running <- struct{}{}:
				sayHello(w, r)
				<-running
			default:
				http.Error(w, "two at once", http.StatusInternalServerError)
			}
		}).Dial()
		c.Send(strings.Repeat(get("/"), 50))
		for range 50 {
			if res := c.Response(""); res.Status != 200 {
				t.Fatalf("%d %s", res.Status, res.Body)
			}
		}
	})
}

// Every head and body arrives a byte at a time; nothing changes.
func TestPipelineByteAtATime(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		c := testserver.Start(t, m, echo).Dial()
		raw := get("/") + request("POST", "/", "body") + chunked("/", "T: v\r\n\r\n", "ab", "c")
		for i := range len(raw) {
			c.Send(raw[i : i+1])
		}
		for _, want := range []string{"", "body", "abc"} {
			if res := c.Response(""); res.Status != 200 || res.Text() != want {
				t.Fatalf("%d %q, want %q", res.Status, res.Body, want)
			}
		}
	})
}

// A body that arrives after its head, together with the next request, and that
// the handler reads in small pieces: the next request stays whole.
func TestPipelineBehindLateBody(t *testing.T) {
	bodies := []struct{ name, head, body string }{
		{"length", "POST /5 HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n", "hello"},
		{"chunked", "POST /5 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
		{"trailer", "POST /5 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\nA: b\r\n\r\n"},
	}
	for _, tt := range bodies {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				reached, size := make(chan struct{}, 1), make(chan int, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						path(w, r)
						return
					}
					reached <- struct{}{}
					io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r.Body}, make([]byte, <-size))
				})
				c := s.Dial()
				for n := range 60 {
					c.Send(tt.head)
					testserver.Receive(t, "the handler", reached)
					c.Send(tt.body + get("/next") + get("/last"))
					size <- n + 1
					for _, want := range []string{"hello", "/next", "/last"} {
						if res := c.Response(""); res.Text() != want {
							t.Fatalf("read in pieces of %d: %d %q, want %q", n+1, res.Status, res.Body, want)
						}
					}
				}
			})
		})
	}
}
