package behaviour_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// hijacked is a handler that takes the connection over and closes it when f
// returns.
func hijacked(t *testing.T, f func(conn net.Conn, rw *bufio.ReadWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		f(conn, rw)
	}
}

func TestHijack(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, hijacked(t, func(conn net.Conn, rw *bufio.ReadWriter) {
			rw.WriteString("not HTTP at all")
			rw.Flush()
		}))
		c := s.Dial()
		c.Send(get("/"))
		c.Expect("not HTTP at all")
		c.Closed()
	})
}

// Bytes that came behind the request are handed over with the connection.
func TestHijackBuffered(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, hijacked(t, func(conn net.Conn, rw *bufio.ReadWriter) {
			line, err := rw.ReadString('\n')
			fmt.Fprintf(rw, "%s%v", line, err)
			rw.Flush()
		}))
		for _, raw := range []string{get("/") + "early bytes\n", request("POST", "/", "") + "early bytes\n"} {
			c := s.Dial()
			c.Send(raw)
			c.Expect("early bytes\n<nil>")
			c.Closed()
		}
	})
}

// A handler may begin an answer and go on below HTTP.
func TestHijackInAnswer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
			hijacked(t, func(conn net.Conn, _ *bufio.ReadWriter) { io.WriteString(conn, "world") })(w, r)
		})
		c := s.Dial()
		c.Send(get("/"))
		if got := c.Response("").Text(); got != "helloworld" {
			t.Errorf("got %q", got)
		}
		c.Closed()
	})
}

// A websocket-like upgrade: 101, then both sides speak freely, in the order of
// the bytes, also those which came before the answer.
func TestUpgrade(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, hijacked(t, func(conn net.Conn, rw *bufio.ReadWriter) {
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			rw.Flush()
			io.Copy(conn, rw)
		}))
		c := s.Dial()
		c.Send(get("/", "Connection: Upgrade", "Upgrade: echo") + "early ")
		if head := c.Head(""); head.Status != 101 || head.Get("Upgrade") != "echo" {
			t.Fatalf("%d %v", head.Status, head.Header)
		}
		c.Send("late")
		c.Expect("early late")
		for i := range 50 {
			message := fmt.Sprintf("message %d", i)
			c.Send(message)
			c.Expect(message)
		}
	})
}

// A hijacked connection has no deadline left from the server and outlives
// Shutdown, which knows nothing of it any more.
func TestHijackedIsTheHandlers(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		taken := make(chan net.Conn, 1)
		s := testserver.StartConfig(t, m, testserver.Config{
			HeadTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
				}
				taken <- conn
			}),
		})
		c := s.Dial()
		c.Send(get("/"))
		conn := testserver.Receive(t, "the connection", taken)
		defer conn.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		// Longer than the time-outs above: a read that ends before its own
		// deadline shows one that was left behind.
		began := time.Now()
		conn.SetReadDeadline(began.Add(300 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); !testserver.TimedOut(err) || time.Since(began) < 300*time.Millisecond {
			t.Errorf("read ended after %v: %v", time.Since(began), err)
		}
		conn.SetReadDeadline(time.Time{})
		io.WriteString(conn, "still here")
		c.Expect("still here")
	})
}

func TestHijackMisuse(t *testing.T) {
	tests := []struct {
		name string
		use  func(w http.ResponseWriter) error
		want error
	}{
		{"Write", func(w http.ResponseWriter) error { _, err := w.Write([]byte("x")); return err }, http.ErrHijacked},
		{"WriteString", func(w http.ResponseWriter) error { _, err := io.WriteString(w, "x"); return err }, http.ErrHijacked},
		{"ReadFrom", func(w http.ResponseWriter) error {
			_, err := io.Copy(w, struct{ io.Reader }{io.LimitReader(neverEnding('x'), 5)})
			return err
		}, http.ErrHijacked},
		{"Hijack", func(w http.ResponseWriter) error { _, _, err := w.(http.Hijacker).Hijack(); return err }, http.ErrHijacked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				got := make(chan error, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					conn, _, err := w.(http.Hijacker).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					w.WriteHeader(200) // only logged
					got <- tt.use(w)
				})
				c := s.Dial()
				c.Send(get("/"))
				if err := testserver.Receive(t, "the handler", got); !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				c.Closed()
			})
		})
	}
}

// neverEnding is a reader of one byte again and again.
type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// A handler that reads the body first, or waits on the context, can hijack
// still: whatever watches the connection lets go of it.
func TestHijackAfterWatching(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := watchful(t, m, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			watched(r)
			hijacked(t, func(conn net.Conn, rw *bufio.ReadWriter) {
				io.WriteString(conn, "ready ")
				line, err := rw.ReadString('\n')
				fmt.Fprintf(conn, "%s%v", line, err)
			})(w, r)
		})
		for range 20 {
			c := s.Dial()
			c.Send(request("POST", "/", "body") + "ab")
			c.Send("cd")
			c.Expect("ready ")
			c.Send("more\n")
			c.Expect("abcdmore\n<nil>")
			c.Closed()
		}
	})
}

// keepReading reads four bytes of the body and leaves a goroutine behind that
// reads on, as a proxy does; what ends its wait goes to ended.
func keepReading(r *http.Request, ended chan<- error) {
	reading := make(chan struct{})
	go func() {
		r.Body.Read(make([]byte, 4))
		close(reading)
		_, err := r.Body.Read(make([]byte, 4))
		ended <- err
	}()
	<-reading
	// Where the next read has not begun to wait, there is nothing to let go of.
	for stacks := make([]byte, 1<<20); !waitsForBody(string(stacks[:runtime.Stack(stacks, true)])); {
		runtime.Gosched()
	}
}

// waitsForBody reports whether a goroutine of keepReading waits for the client.
func waitsForBody(stacks string) bool {
	for goroutine := range strings.SplitSeq(stacks, "\n\n") {
		if strings.Contains(goroutine, "keepReading.func1(") && strings.Contains(goroutine, "runtime_pollWait(") {
			return true
		}
	}
	return false
}

// A goroutine that waits for the body lets go of a connection that is hijacked:
// what comes is the hijacker's.
func TestHijackWhileReading(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		read := make(chan error, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			keepReading(r, read)
			hijacked(t, func(conn net.Conn, rw *bufio.ReadWriter) {
				if err := <-read; err == nil {
					t.Error("the reader got no error")
				}
				io.WriteString(conn, "ready")
				line, err := rw.ReadString('\n')
				fmt.Fprintf(conn, "%s%v", line, err)
			})(w, r)
		})
		for range 20 {
			c := s.Dial()
			c.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nhalf")
			c.Expect("ready")
			c.Send("line\n")
			c.Expect("line\n<nil>")
			c.Closed()
		}
	}, modesOf("hijack while the body is read", testserver.All())...)
}

// A handler that panics after it has hijacked does not take the connection
// with it; it is the handler's to close.
func TestHijackThenPanic(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		taken := make(chan net.Conn, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
			}
			taken <- conn
			panic("after the hijack")
		})
		c := s.Dial()
		c.Send(get("/"))
		conn := testserver.Receive(t, "the connection", taken)
		defer conn.Close()
		s.Log.Wait(t, "after the hijack")
		if _, err := io.WriteString(conn, "alive"); err != nil {
			t.Fatal(err)
		}
		c.Expect("alive")
	})
}
