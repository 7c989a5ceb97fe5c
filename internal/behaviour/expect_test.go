package behaviour_test

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

const expecting = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

// The 100 is sent when the handler reads, not before.
func TestContinueOnRead(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached, proceed := make(chan struct{}), make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == alive {
				return
			}
			if got := r.Header.Get("Expect"); got != "100-continue" {
				t.Errorf("Expect: %q", got)
			}
			close(reached)
			<-proceed
			echo(w, r)
		})
		c := s.Dial()
		c.Send(expecting)
		testserver.Receive(t, "the handler", reached)
		close(proceed)
		if head := c.Head(""); head.Status != http.StatusContinue || len(head.Header) != 0 {
			t.Fatalf("%d %v, want a bare 100", head.Status, head.Header)
		}
		c.Send("hello")
		if res := c.Response(""); res.Status != 200 || res.Text() != "hello" || len(res.Early) != 0 {
			t.Fatalf("%d %q after %d more informational heads", res.Status, res.Body, len(res.Early))
		}
		c.Open(alive)
	})
}

func TestExpectations(t *testing.T) {
	statuses := func(early []*testserver.Response) (all []int) {
		for _, e := range early {
			all = append(all, e.Status)
		}
		return all
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		raw     string
		early   []int
		want    string
	}{
		{"handler that never reads", sayHello, expecting, nil, `200 content-length "hello", close`},
		{"handler that never reads, chunked", sayHello, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", nil, `200 content-length "hello", close`},
		{"handler that refuses", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusForbidden)
		}, expecting, nil, `403 content-length "no\n", close`},
		{"body sent without waiting", echo, expecting + "hello", []int{100}, `200 content-length "hello", open`},
		{"expectation in capitals", echo, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-CONTINUE\r\n\r\nhello", []int{100}, `200 content-length "hello", open`},
		{"no body to expect", echo, get("/", "Expect: 100-continue"), nil, `200 content-length "", open`},
		{"HTTP/1.0 has no 100", echo, "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", nil, `200 content-length "hello", open`},
		{"read after the answer began", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			io.Copy(w, r.Body)
		}, expecting + "hello", nil, `200 chunked "hello", close`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == alive {
						w.WriteHeader(http.StatusNoContent)
						return
					}
					tt.handler(w, r)
				})
				c := s.Dial()
				c.Send(tt.raw)
				res, err := c.Next("")
				if want, got := expected(m, tt.name, tt.want), describe(res, err, c); got != want {
					t.Errorf("\n got %s\nwant %s", got, want)
				}
				if res != nil && !slices.Equal(statuses(res.Early), tt.early) {
					t.Errorf("informational %v, want %v", statuses(res.Early), tt.early)
				}
			})
		})
	}
}

// Heads of status 1xx leave at once, each with the header as it then is, and
// may come several times before the answer.
func TestEarlyHints(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		proceed := make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Add("Link", "</a.css>; rel=preload")
			h.Set("Content-Length", "5") // of the answer, never of a hint
			w.WriteHeader(http.StatusEarlyHints)
			<-proceed
			h.Add("Link", "</b.js>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			h.Set("Content-Type", "text/plain")
			io.WriteString(w, "hello")
		})
		c := s.Dial()
		c.Send(get("/"))
		if head := c.Head(""); head.Status != 103 || len(head.Header["Link"]) != 1 {
			t.Fatalf("first: %d %v", head.Status, head.Header)
		}
		close(proceed)
		res := c.Response("")
		if len(res.Early) != 2 || res.Early[0].Status != 103 || len(res.Early[0].Header["Link"]) != 2 || res.Early[1].Status != 102 {
			t.Errorf("informational heads: %+v", res.Early)
		}
		if res.Status != 200 || res.Text() != "hello" || len(res.Header["Link"]) != 2 {
			t.Errorf("%d %q %v", res.Status, res.Body, res.Header)
		}
	})
}

// A handler may send the 100 itself; it is then not sent again.
func TestContinueByHandler(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusContinue)
			echo(w, r)
		})
		c := s.Dial()
		c.Send(expecting)
		if head := c.Head(""); head.Status != 100 {
			t.Fatalf("status %d", head.Status)
		}
		c.Send("hello")
		if res := c.Response(""); res.Status != 200 || res.Text() != "hello" || len(res.Early) != 0 {
			t.Errorf("%d %q, %d informational", res.Status, res.Body, len(res.Early))
		}
	})
}

// A 1.0 client knows no informational answers.
func TestNoEarlyHintsFor10(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		const row = "early hints for 1.0"
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			sayHello(w, r)
		})
		res := s.Ask("GET / HTTP/1.0\r\n\r\n")
		got := "none"
		if len(res.Early) > 0 {
			got = "sent"
		}
		if want := expected(m, row, "none"); got != want {
			t.Errorf("informational answers: %s, want %s", got, want)
		}
	})
}
