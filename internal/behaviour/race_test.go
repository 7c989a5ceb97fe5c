package behaviour_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// The tests of this file bring two events so close together that either may be
// first, again and again.

// Requests that arrive at the moment of the idle time-out are answered, or the
// connection ends without a byte; no client hangs and none is told off.
func TestRequestMeetsIdleTimeout(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		const idle = 20 * time.Millisecond
		s := testserver.StartConfig(t, m, testserver.Config{IdleTimeout: idle, Handler: http.HandlerFunc(sayHello)})
		var crowd sync.WaitGroup
		for i := range 20 {
			crowd.Go(func() {
				for j := range 10 {
					conn, err := s.Connect()
					if err != nil {
						t.Error(err)
						return
					}
					c := testserver.NewClient(t, conn)
					if !answered(t, c) {
						t.Error("first request was not answered")
					}
					<-time.After(idle + time.Duration(i+j-10)*time.Millisecond)
					answered(t, c)
					c.Close()
				}
			})
		}
		crowd.Wait()
	})
}

// answered sends a request and reports whether it was answered; the only other
// thing that may happen is the end of the connection.
func answered(t *testing.T, c *testserver.Client) bool {
	if c.TrySend(get("/")) != nil {
		return false
	}
	res, err := c.Next("")
	switch {
	case err == nil && res.Status == 200 && res.Text() == "hello":
		return true
	case res == nil && testserver.Ended(err) && !errors.Is(err, io.ErrUnexpectedEOF):
		return false
	}
	t.Errorf("got %+v, %v", res, err)
	return false
}

// A quick answer that waits to leave together with the next one is overtaken by
// nothing that the next handler does, whenever it does it.
func TestQuickAnswerComesFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	const expect = "POST /second HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
	tests := []struct {
		name    string
		request string
		handler http.HandlerFunc
		check   func(t *testing.T, c *testserver.Client)
	}{
		{"buffered", get("/second"), answer(0, nil, "second"), isSecond},
		{"flushed", get("/second"), func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "sec")
			w.(http.Flusher).Flush()
			io.WriteString(w, "ond")
		}, isSecond},
		{"long", get("/second"), answer(0, nil, "second", strings.Repeat(" ", 100_000)), isSecond},
		{"file", get("/second"), func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }, isSecond},
		{"early hints", get("/second"), func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "second")
		}, isSecond},
		{"hijacked", get("/second"), hijackedWith("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"), isSecond},
		{"continued", expect, echo, func(t *testing.T, c *testserver.Client) {
			if head := c.Head(""); head.Status != http.StatusContinue {
				t.Errorf("status %d", head.Status)
			}
			c.Send("second")
			isSecond(t, c)
		}},
		{"panic", get("/second"), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(_ *testing.T, c *testserver.Client) { c.Closed() }},
		{"refused", "GET / HTTP/9.9\r\n\r\n", sayHello, func(t *testing.T, c *testserver.Client) {
			if res := c.Response(""); res.Status != http.StatusHTTPVersionNotSupported {
				t.Errorf("status %d", res.Status)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				pause := make(chan time.Duration, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/first" {
						io.WriteString(w, "first")
						return
					}
					<-time.After(<-pause)
					tt.handler(w, r)
				})
				for i := range 12 {
					pause <- time.Duration(i) * 400 * time.Microsecond
					c := s.Dial()
					c.Send(get("/first") + tt.request)
					if res := c.Response(""); res.Text() != "first" {
						t.Fatalf("first answer: %d %q", res.Status, res.Body)
					}
					tt.check(t, c)
					c.Close()
					select {
					case <-pause: // no handler ran
					default:
					}
				}
			})
		})
	}
}

func isSecond(t *testing.T, c *testserver.Client) {
	t.Helper()
	if res := c.Response(""); strings.TrimSpace(res.Text()) != "second" {
		t.Errorf("second answer: %d %.20q", res.Status, res.Body)
	}
}

// hijackedWith takes the connection over, writes raw and closes it.
func hijackedWith(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, raw)
	}
}

// Clients that leave at the moment of their answer, while the handler looks at
// the context.
func TestClientLeavesAtTheAnswer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		testserver.NoLeaks(t)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Millisecond):
			}
			sayHello(w, r)
		})
		var crowd sync.WaitGroup
		for i := range 20 {
			crowd.Go(func() {
				for j := range 10 {
					conn, err := s.Connect()
					if err != nil {
						t.Error(err)
						return
					}
					c := testserver.NewClient(t, conn)
					c.Send(get("/") + get("/"))
					<-time.After(time.Duration(i*j) * 20 * time.Microsecond)
					if (i+j)%2 == 0 {
						c.Reset()
					}
					c.Close()
				}
			})
		}
		crowd.Wait()
		if got := s.Get("/").Text(); got != "hello" {
			t.Errorf("got %q", got)
		}
	})
}

// Close while requests come and go: whatever was begun ends, and nothing is
// left.
func TestCloseUnderLoad(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		testserver.NoLeaks(t)
		for range 5 {
			s := testserver.Start(t, m, echo)
			var crowd sync.WaitGroup
			warm := make(chan struct{}, 10)
			for range cap(warm) {
				conn, err := s.Connect()
				if err != nil {
					t.Fatal(err)
				}
				crowd.Go(func() {
					c := testserver.NewClient(t, conn)
					defer c.Close()
					for i := 0; ; i++ {
						if i == 5 {
							warm <- struct{}{}
						}
						if c.TrySend(request("POST", "/", "hello")) != nil {
							return
						}
						if res, err := c.Next(""); err != nil {
							if res != nil && res.Status != 200 {
								t.Error(fmt.Sprint(res.Status))
							}
							return
						}
					}
				})
			}
			for range cap(warm) {
				testserver.Receive(t, "the clients to be busy", warm)
			}
			s.Close()
			crowd.Wait()
		}
	})
}
