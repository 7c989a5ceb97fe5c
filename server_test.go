package gatehouse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse"
)

// serve starts s on a free port of the loopback address and ends it with the
// test.
func serve(t *testing.T, s *gatehouse.Server) (addr string) {
	t.Helper()
	l, err := gatehouse.Listen("127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, s, l)
	return l.Addr().String()
}

// serveOn serves l with s until the test ends.
func serveOn(t *testing.T, s *gatehouse.Server, l net.Listener) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v, want http.ErrServerClosed", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("connections are left after Close: %v", err)
		}
	})
}

// dial connects to addr and closes the connection with the test. Nothing on it
// takes longer than ten seconds.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends text as it is.
func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// receive reads one response and returns it with its body.
func receive(t *testing.T, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func greet(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.URL.Path) }

const getRequest = "GET /%s HTTP/1.1\r\nHost: test\r\n\r\n"

func TestName(t *testing.T) {
	for _, tt := range []struct{ name, want string }{{"", "Gatehouse"}, {"First", "First"}, {"-", ""}} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, serve(t, &gatehouse.Server{Handler: http.HandlerFunc(greet), Name: tt.name}))
			send(t, c, fmt.Sprintf(getRequest, ""))
			if resp, _ := receive(t, bufio.NewReader(c)); resp.Header.Get("Server") != tt.want {
				t.Errorf("Server field %q, want %q", resp.Header["Server"], tt.want)
			}
		})
	}
}

// TestLateAnswer pipelines a fast request and one that does not end: the first
// answer must not wait for the second.
func TestLateAnswer(t *testing.T) {
	release := make(chan struct{})
	addr := serve(t, &gatehouse.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		greet(w, r)
	})})
	c := dial(t, addr)
	r := bufio.NewReader(c)
	for range 3 { // the timer is used again
		send(t, c, fmt.Sprintf(getRequest+getRequest+getRequest, "1", "2", "slow"))
		for _, want := range []string{"hello /1", "hello /2"} {
			if _, body := receive(t, r); body != want {
				t.Errorf("body %q, want %q", body, want)
			}
		}
		release <- struct{}{}
		if _, body := receive(t, r); body != "hello /slow" {
			t.Errorf("body %q", body)
		}
	}
}

// TestPanicKeepsEarlierAnswers pipelines two requests, the second of which
// panics after it has written.
func TestPanicKeepsEarlierAnswers(t *testing.T) {
	addr := serve(t, &gatehouse.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		greet(w, r)
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
	})})
	c := dial(t, addr)
	r := bufio.NewReader(c)
	send(t, c, fmt.Sprintf(getRequest+getRequest, "1", "panic"))
	if _, body := receive(t, r); body != "hello /1" {
		t.Errorf("body %q", body)
	}
	if rest, _ := io.ReadAll(r); len(rest) > 0 { // a reset is as good as an end here
		t.Errorf("after the panic came %q", rest)
	}
}

func TestOnReject(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name, request string
		status        int
		line          string
	}{
		{"malformed", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "GET / HTTP/1.1"},
		{"no host", "\r\nGET / HTTP/1.1\r\n\r\n", 400, "GET / HTTP/1.1"},
		{"control byte", "GET /\x1b[1m HTTP/1.1\r\nHost: a\r\n\r\n", 400, "GET /\x1b[1m HTTP/1.1"},
		{"bad escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "GET /%zz HTTP/1.1"},
		{"long target", "GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "GET /" + long[:251]},
		{"long field", "GET / HTTP/1.1\r\nHost: a\r\nA: " + long + "\r\n\r\n", 431, "GET / HTTP/1.1"},
		{"many fields", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("A: b\r\n", 5) + "\r\n", 431, "GET / HTTP/1.1"},
		{"expectation", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n", 417, "POST / HTTP/1.1"},
		{"tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501, "CONNECT a:80 HTTP/1.1"},
		{"version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "GET / HTTP/2.0"},
		{"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world", 413, "POST / HTTP/1.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			told := make(chan gatehouse.Rejection, 1)
			addr := serve(t, &gatehouse.Server{
				Handler:        http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }),
				OnReject:       func(r gatehouse.Rejection) { told <- r },
				MaxRequestLine: 280, MaxField: 80, MaxFields: 5, MaxBody: 10,
			})
			c := dial(t, addr)
			send(t, c, tt.request)
			r := bufio.NewReader(c)
			resp, body := receive(t, r)
			if resp.StatusCode != tt.status || !resp.Close {
				t.Errorf("status %d, closing %t, want %d and true", resp.StatusCode, resp.Close, tt.status)
			}
			if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || body == "" {
				t.Errorf("%s of %d bytes, want some plain text", resp.Header.Get("Content-Type"), len(body))
			}
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("after the answer: %v, want the end", err)
			}
			got := <-told
			if got.Status != tt.status || string(got.Line) != tt.line || got.Reason == "" {
				t.Errorf("told %d %q %q, want %d %q and a reason", got.Status, got.Line, got.Reason, tt.status, tt.line)
			}
			if got.RemoteAddr.String() != c.LocalAddr().String() || got.LocalAddr.String() != addr {
				t.Errorf("told of %v at %v, want %v at %v", got.RemoteAddr, got.LocalAddr, c.LocalAddr(), addr)
			}
		})
	}
}

func TestMaxBodyChunked(t *testing.T) {
	failed := make(chan error, 1)
	addr := serve(t, &gatehouse.Server{MaxBody: 5, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if string(body) != "hello" {
			t.Errorf("the handler read %q, want the first five bytes", body)
		}
		failed <- err
	})})
	c := dial(t, addr)
	send(t, c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n")
	resp, _ := receive(t, bufio.NewReader(c))
	if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
		t.Errorf("status %d, closing %t, want 413 and true", resp.StatusCode, resp.Close)
	}
	var tooLarge *http.MaxBytesError
	if err := <-failed; !errors.As(err, &tooLarge) || tooLarge.Limit != 5 {
		t.Errorf("read failed with %v, want an *http.MaxBytesError", err)
	}
}

func TestConnState(t *testing.T) {
	var mu sync.Mutex
	var seen []http.ConnState
	closed := make(chan struct{})
	addr := serve(t, &gatehouse.Server{
		Handler: http.HandlerFunc(greet),
		ConnState: func(_ net.Conn, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, state)
			if state == http.StateClosed {
				close(closed)
			}
		},
	})
	c := dial(t, addr)
	send(t, c, fmt.Sprintf(getRequest, ""))
	receive(t, bufio.NewReader(c))
	c.Close()
	<-closed
	mu.Lock()
	defer mu.Unlock()
	if want := []http.ConnState{http.StateNew, http.StateActive, http.StateIdle, http.StateClosed}; !slices.Equal(seen, want) {
		t.Errorf("states %v, want %v", seen, want)
	}
}
