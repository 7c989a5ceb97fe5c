package behaviour_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// A handler that keeps its ResponseWriter finds that it is over: nothing that it
// writes reaches anybody, least of all the answer to the next request.
func TestWriteAfterReturn(t *testing.T) {
	misuses := []struct {
		name string
		use  func(w http.ResponseWriter) error
	}{
		{"Write", func(w http.ResponseWriter) error { _, err := w.Write([]byte("late")); return err }},
		{"WriteString", func(w http.ResponseWriter) error { _, err := io.WriteString(w, "late"); return err }},
		{"long Write", func(w http.ResponseWriter) error { _, err := w.Write(make([]byte, 1<<20)); return err }},
		{"ReadFrom", func(w http.ResponseWriter) error {
			_, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("late")})
			return err
		}},
		{"Flush", func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }},
		{"Hijack", func(w http.ResponseWriter) error { _, _, err := http.NewResponseController(w).Hijack(); return err }},
		{"WriteFinished", func(w http.ResponseWriter) error {
			_, err := w.(finishedWriter).WriteFinished(200, []byte("Content-Length: 4\r\n"), []byte("late"))
			return err
		}},
		{"SetReadDeadline", func(w http.ResponseWriter) error {
			return http.NewResponseController(w).SetReadDeadline(past())
		}},
		{"SetWriteDeadline", func(w http.ResponseWriter) error {
			return http.NewResponseController(w).SetWriteDeadline(past())
		}},
	}
	for _, tt := range misuses {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				kept := make(chan http.ResponseWriter, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/keep" {
						io.WriteString(w, "kept")
						kept <- w
						return
					}
					// The next request of the connection is under way.
					io.WriteString(w, "he")
					if err := tt.use(<-kept); err == nil {
						t.Error("no error")
					}
					io.WriteString(w, "llo")
				})
				c := s.Dial()
				for range 3 {
					if got := c.Open("/keep").Text(); got != "kept" {
						t.Fatalf("first answer %q", got)
					}
					if got := c.Open("/next").Text(); got != "hello" {
						t.Fatalf("second answer %q", got)
					}
				}
			}, modesOf("write after return", testserver.All())...)
		})
	}
}

// WriteHeader has no error to give; it is logged and changes nothing.
func TestWriteHeaderAfterReturn(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		kept := make(chan http.ResponseWriter, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keep" {
				kept <- w
				return
			}
			late := <-kept
			late.Header().Set("Late", "yes")
			late.WriteHeader(http.StatusTeapot)
			late.WriteHeader(http.StatusEarlyHints)
			sayHello(w, r)
		})
		c := s.Dial()
		c.Open("/keep")
		res := c.Open("/next")
		if res.Status != 200 || len(res.Early) != 0 || res.Get("Late") != "" {
			t.Errorf("%d, %d informational, %v", res.Status, len(res.Early), res.Header)
		}
	}, modesOf("write after return", testserver.All())...)
}

// The same holds for a handler that has panicked: its connection is gone.
func TestUseAfterPanic(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		kept := make(chan http.ResponseWriter, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
			kept <- w
			panic(http.ErrAbortHandler)
		})
		c := s.Dial()
		c.Send(get("/"))
		c.Closed()
		w := testserver.Receive(t, "the writer", kept)
		if _, err := io.WriteString(w, "late"); err == nil {
			t.Error("Write: no error")
		}
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("Hijack: no error")
		}
	}, modesOf("write after return", testserver.All())...)
}

// The header map stays the handler's; what it puts in late goes nowhere.
func TestHeaderKeptAfterReturn(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		kept := make(chan http.Header, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keep" {
				w.Header().Set("Own", "yes")
				kept <- w.Header()
				return
			}
			h := <-kept
			if h.Get("Own") != "yes" {
				t.Errorf("kept header became %v", h)
			}
			h.Set("Late", "yes")
			sayHello(w, r)
		})
		c := s.Dial()
		for range 3 {
			c.Open("/keep")
			if res := c.Open("/next"); res.Get("Late") != "" || res.Get("Own") != "" {
				t.Fatalf("header of another request: %v", res.Header)
			}
		}
	})
}

// A goroutine that the handler leaves behind may go on reading the body and
// gets an error, never bytes of the next request.
func TestBodyReadAfterReturn(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		kept := make(chan io.Reader, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keep" {
				kept <- r.Body
				return
			}
			if n, err := (<-kept).Read(make([]byte, 100)); n != 0 || err == nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
			echo(w, r)
		})
		c := s.Dial()
		for range 3 {
			c.Roundtrip(request("POST", "/keep", "unread body"))
			if got := c.Roundtrip(request("POST", "/next", "next body")).Text(); got != "next body" {
				t.Fatalf("body %q", got)
			}
		}
	})
}

// Reading the body in one goroutine while another writes is legal; so is
// closing the body in a third.
func TestConcurrentBodyAndWrite(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			read := make(chan int64, 1)
			go func() {
				n, _ := io.Copy(io.Discard, r.Body)
				read <- n
			}()
			_ = r.Context().Done()
			for range 100 {
				w.Write([]byte("0123456789"))
				http.NewResponseController(w).Flush()
			}
			if n := <-read; n != 100_000 {
				t.Errorf("read %d", n)
			}
		})
		c := s.Dial()
		sent := make(chan error, 1)
		go func() { sent <- c.TrySend(request("POST", "/", strings.Repeat("x", 100_000))) }()
		if res := c.Response(""); len(res.Body) != 1000 {
			t.Errorf("%d bytes", len(res.Body))
		}
		testserver.Receive(t, "the sender", sent)
	})
}

// past is a deadline that is over.
func past() time.Time { return time.Unix(1, 0) }
