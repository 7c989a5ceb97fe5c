package gatehouse_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
)

// browserRequest is what a browser sends for a page.
const browserRequest = "GET /small.html HTTP/1.1\r\n" +
	"Host: localhost:8000\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.9\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Cookie: sessionid=abcdef0123456789; csrftoken=0123456789abcdef\r\n" +
	"Cache-Control: max-age=0\r\n" +
	"Sec-Fetch-Dest: document\r\n" +
	"Sec-Fetch-Mode: navigate\r\n" +
	"Sec-Fetch-Site: none\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n\r\n"

// finished answers with a cached page of 1 KB.
var finished = func() http.HandlerFunc {
	head := []byte("Content-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\nEtag: \"0123456789abcdef\"\r\n")
	body := bytes.Repeat([]byte("x"), 1024)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.(interface {
			WriteFinished(int, []byte, []byte) (int, error)
		}).WriteFinished(http.StatusOK, head, body)
	}
}()

// plain answers with the same page in the usual way.
func plain(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Etag", `"0123456789abcdef"`)
	io.WriteString(w, page)
}

var page = strings.Repeat("x", 1024)

// client makes requests that cost the client's side nothing but system calls.
type client struct {
	net.Conn
	in   [64 << 10]byte
	size int // of an answer
}

// roundtrip sends n requests at once and reads as many answers.
func (c *client) roundtrip(tb testing.TB, requests []byte, n int) {
	if _, err := c.Write(requests); err != nil {
		tb.Fatal(err)
	}
	for got := 0; got == 0 || got < n*c.size; {
		k, err := c.Read(c.in[:])
		if err != nil {
			tb.Fatal(err)
		}
		got += k
		if c.size == 0 {
			c.size = got // the first answer came in one piece
		}
	}
}

// startBench starts a server with h and makes the first request.
func startBench(tb testing.TB, h http.HandlerFunc) *client {
	l, err := gatehouse.Listen("127.0.0.1:0", 0)
	if err != nil {
		tb.Fatal(err)
	}
	s := &gatehouse.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	tb.Cleanup(func() {
		s.Close()
		<-served
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	c := &client{Conn: conn}
	c.roundtrip(tb, []byte(browserRequest), 1)
	return c
}

func BenchmarkRequest(b *testing.B) {
	for _, bm := range []struct {
		name     string
		handler  http.HandlerFunc
		pipeline int
	}{
		{"finished", finished, 1},
		{"plain", plain, 1},
		{"pipelined", finished, 16},
	} {
		b.Run(bm.name, func(b *testing.B) {
			c := startBench(b, bm.handler)
			requests := []byte(strings.Repeat(browserRequest, bm.pipeline))
			b.ReportAllocs()
			for b.Loop() {
				c.roundtrip(b, requests, bm.pipeline)
			}
		})
	}
}

// TestRequestAllocations bounds what a request costs the garbage collector.
func TestRequestAllocations(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		most    float64
	}{
		// The request, its response, the head's text, and the header: a map with
		// its groups and the array of the values.
		{"finished", finished, 9},
		// And the header of the response, a map with two values.
		{"plain", plain, 13},
		// And the value of the length. The head itself is made without any.
		{"plain with a length", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1024")
			plain(w, r)
		}, 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := startBench(t, tt.handler)
			got := testing.AllocsPerRun(200, func() { c.roundtrip(t, []byte(browserRequest), 1) })
			if most := tt.most + poolMisses; got > most {
				t.Errorf("%.1f allocations for a request, want at most %.0f", got, most)
			}
		})
	}
}
