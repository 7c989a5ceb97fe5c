package behaviour_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestPanics(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		log     string // part of what is logged; "" means nothing is
		seen    string // what reached the client, as describe writes it
	}{
		{"before anything", func(http.ResponseWriter, *http.Request) { panic("boom") }, "boom", "closed unanswered"},
		{"after a buffered write", func(w http.ResponseWriter, r *http.Request) {
			sayHello(w, r)
			panic("boom")
		}, "boom", "closed unanswered"},
		{"after a flush", func(w http.ResponseWriter, r *http.Request) {
			sayHello(w, r)
			w.(http.Flusher).Flush()
			panic("boom")
		}, "boom", `200 chunked "hello" cut`},
		{"with a length, half written", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			sayHello(w, r)
			w.(http.Flusher).Flush()
			panic("boom")
		}, "boom", `200 content-length "hello" cut`},
		{"error value", func(http.ResponseWriter, *http.Request) { panic(io.ErrNoProgress) }, "multiple Read calls return no data or error", "closed unanswered"},
		{"nil pointer", func(http.ResponseWriter, *http.Request) {
			var r *http.Request
			_ = r.URL
		}, "nil pointer dereference", "closed unanswered"},
		{"nil value", func(http.ResponseWriter, *http.Request) { panic(nil) }, "panic called with nil argument", "closed unanswered"},
		{"goroutine ended", func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "", "closed unanswered"},
		{"goroutine ended after a flush", func(w http.ResponseWriter, r *http.Request) {
			sayHello(w, r)
			w.(http.Flusher).Flush()
			runtime.Goexit()
		}, "", `200 chunked "hello" cut`},
		{"while the body is unread", func(http.ResponseWriter, *http.Request) { panic("boom") }, "boom", "closed unanswered"},
		{"abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", "closed unanswered"},
		{"abort after a flush", func(w http.ResponseWriter, r *http.Request) {
			sayHello(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "", `200 chunked "hello" cut`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == alive {
						sayHello(w, r)
						return
					}
					tt.handler(w, r)
				})
				c := s.Dial()
				c.Send(get("/"))
				res, err := c.Next("")
				if got := describe(res, err, c); got != tt.seen {
					t.Errorf("client saw %s, want %s", got, tt.seen)
				}
				if tt.log != "" {
					s.Log.Wait(t, tt.log)
					s.Log.Wait(t, "panic_test.go") // the stack
				}
				if s.Get(alive).Text() != "hello" {
					t.Error("server does not serve any more")
				}
				if tt.log == "" && s.Log.String() != "" {
					t.Errorf("logged:\n%s", s.Log)
				}
			})
		})
	}
}

// A panic while a pipelined request waits drops that one with the connection;
// it is never answered by the wrong handler.
func TestPanicInPipeline(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic("boom")
			}
			path(w, r)
		})
		c := s.Dial()
		c.Send(get("/a") + get("/panic") + get("/b"))
		res, err := c.Next("")
		if err != nil && !testserver.Ended(err) {
			t.Fatal(err)
		}
		if res != nil && res.Text() != "/a" {
			t.Errorf("first answer %q", res.Body)
		}
		rest, _ := c.Rest()
		if strings.Contains(rest, "/b") {
			t.Errorf("answered behind the panic: %q", rest)
		}
	})
}
