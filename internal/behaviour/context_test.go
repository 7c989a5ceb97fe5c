package behaviour_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// The ways a client goes away while its request runs.
var departures = []struct {
	name  string
	leave func(c *testserver.Client)
}{
	{"close", func(c *testserver.Client) { c.Close() }},
	{"reset", (*testserver.Client).Reset},
	{"half-close", (*testserver.Client).CloseWrite},
}

// watchful is a server that soon sees that a client has left: the engine looks
// four times in its shortest time-out, and twice a second at least. Answers that
// fit the socket's buffer never meet this one.
func watchful(t *testing.T, m testserver.Mode, h http.HandlerFunc) *testserver.Server {
	return testserver.StartConfig(t, m, testserver.Config{Handler: h, WriteStallTimeout: 4 * watchRound})
}

// watchRound is how often a watchful server looks.
const watchRound = time.Millisecond

// watched asks for the end of the request's context and gives the server time
// to begin to look.
func watched(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * watchRound):
	}
}

func TestContextEndsWithClient(t *testing.T) {
	watches := []struct {
		name  string
		watch func(ctx context.Context) <-chan struct{}
	}{
		{"Done", func(ctx context.Context) <-chan struct{} { return ctx.Done() }},
		{"AfterFunc", func(ctx context.Context) <-chan struct{} {
			ended := make(chan struct{})
			context.AfterFunc(ctx, func() { close(ended) })
			return ended
		}},
		{"child context", func(ctx context.Context) <-chan struct{} {
			type key struct{}
			child, cancel := context.WithCancel(context.WithValue(ctx, key{}, "value"))
			context.AfterFunc(child, cancel)
			return child.Done()
		}},
		{"copied request", func(ctx context.Context) <-chan struct{} {
			r := (&http.Request{}).WithContext(ctx)
			return r.Clone(ctx).Context().Done()
		}},
	}
	for _, w := range watches {
		for _, d := range departures {
			t.Run(w.name+"/"+d.name, func(t *testing.T) {
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					reached, left := make(chan struct{}), make(chan error, 1)
					s := watchful(t, m, func(_ http.ResponseWriter, r *http.Request) {
						ended := w.watch(r.Context())
						close(reached)
						<-ended
						left <- r.Context().Err()
					})
					c := s.Dial()
					c.Send(get("/"))
					testserver.Receive(t, "the handler", reached)
					d.leave(c)
					if err := testserver.Receive(t, "the context to end", left); !errors.Is(err, context.Canceled) {
						t.Errorf("Err: %v", err)
					}
				}, testserver.Plain()...)
			})
		}
	}
}

// The watch over the client begins with the next round of whoever watches over
// the time-outs, so most requests never pay for it. Later than that a client's
// leaving is seen at once.
func TestContextEndsSoon(t *testing.T) {
	const row = "the client leaves at once"
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		synctest.Test(t, func(t *testing.T) {
			ln := testserver.NewMemory()
			left := make(chan time.Duration, 1)
			testserver.StartConfig(t, m, testserver.Config{Listener: ln, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked := time.Now()
				<-r.Context().Done()
				left <- time.Since(asked)
			})})
			for _, tt := range []struct {
				name  string
				stays time.Duration
				want  string
			}{
				{row, 0, "within half a second"},
				{"the client leaves after a second", time.Second, "at once"},
			} {
				conn, err := ln.Dial()
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(conn, get("/"))
				<-time.After(tt.stays)
				synctest.Wait()
				conn.Close()
				got := "late"
				switch late := <-left - tt.stays; {
				case late == 0:
					got = "at once"
				case late <= 500*time.Millisecond:
					got = "within half a second"
				}
				if want := expected(m, tt.name, tt.want); got != want {
					t.Errorf("%s: seen %s, want %s", tt.name, got, want)
				}
			}
		})
	}, testserver.H1, testserver.NetHTTP)
}

// Asking Err again and again is enough to learn it.
func TestContextErrAlone(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		contexts, proceed := make(chan context.Context), make(chan struct{})
		s := watchful(t, m, func(_ http.ResponseWriter, r *http.Request) {
			contexts <- r.Context()
			<-proceed
		})
		defer close(proceed)
		c := s.Dial()
		c.Send(get("/"))
		ctx := testserver.Receive(t, "the handler", contexts)
		if err := ctx.Err(); err != nil {
			t.Errorf("Err while the client is there: %v", err)
		}
		c.Close()
		testserver.Eventually(t, "Err of the context", func() bool { return ctx.Err() != nil })
	})
}

// After a body was read to its end the watch begins; while there is more of it
// to read the client cannot be seen leaving, but Read tells.
func TestContextEndsAfterBody(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached, left := make(chan struct{}), make(chan struct{})
		s := watchful(t, m, func(_ http.ResponseWriter, r *http.Request) {
			done := r.Context().Done()
			io.Copy(io.Discard, r.Body)
			close(reached)
			<-done
			close(left)
		})
		c := s.Dial()
		c.Send(request("POST", "/", "hello"))
		testserver.Receive(t, "the handler", reached)
		c.Close()
		testserver.Receive(t, "the context to end", left)
	})
}

// While the client stays, the context stays; when the handler has returned it
// is over, and the next request has another.
func TestContextLivesAsLongAsHandler(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		contexts := make(chan context.Context, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
				t.Error("context ended while the handler ran")
			default:
			}
			contexts <- r.Context()
		})
		c := s.Dial()
		for range 5 {
			c.Open("/")
			ctx := testserver.Receive(t, "a context", contexts)
			testserver.Receive(t, "the context to end with the handler", ctx.Done())
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Errorf("Err: %v", ctx.Err())
			}
		}
	})
}

// A context that nobody asked while the handler ran is over as well when it is
// asked first afterwards.
func TestContextAskedAfterReturn(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		contexts := make(chan context.Context, 2)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) { contexts <- r.Context() })
		c := s.Dial()
		c.Open("/")
		c.Open("/") // the first handler has returned for certain
		ctx := testserver.Receive(t, "a context", contexts)
		testserver.Receive(t, "the context to end", ctx.Done())
		if ctx.Err() == nil || context.Cause(ctx) == nil {
			t.Errorf("Err %v, Cause %v", ctx.Err(), context.Cause(ctx))
		}
	})
}

// A pipelined request behind the running one is not taken for the client's
// leaving, and is not lost to the watch.
func TestContextAndPipelining(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		var running atomic.Int32
		reached, proceed := make(chan struct{}, 1), make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			if running.Add(1) > 1 {
				io.WriteString(w, r.URL.Path)
				return
			}
			done := r.Context().Done()
			reached <- struct{}{}
			<-proceed
			select {
			case <-done:
				t.Error("context ended by a pipelined request")
			default:
			}
			io.WriteString(w, r.URL.Path)
		})
		c := s.Dial()
		c.Send(get("/a"))
		testserver.Receive(t, "the handler", reached)
		c.Send(get("/b") + get("/c"))
		close(proceed)
		for _, want := range []string{"/a", "/b", "/c"} {
			if got := c.Response("").Text(); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

// The watch reads from the connection. What it takes there is given back, in
// its place: the next request arrives in two parts, the first of them behind
// the running request or nothing at all, the second while the watch reads.
func TestContextWatchLosesNoByte(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached := make(chan struct{})
		s := watchful(t, m, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if r.URL.Path == "/first" {
				reached <- struct{}{}
				watched(r)
			}
			w.Write(body)
		})
		c := s.Dial()
		next := request("POST", "/next", "next")
		for i := range len(next) {
			c.Send(request("POST", "/first", "first") + next[:i])
			testserver.Receive(t, "the handler", reached)
			c.Send(next[i:])
			for _, want := range []string{"first", "next"} {
				if res := c.Response(""); res.Text() != want {
					t.Fatalf("split at %d: %d %q, want %q", i, res.Status, res.Body, want)
				}
			}
		}
	})
}

func TestContextValues(t *testing.T) {
	type key string
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.StartConfig(t, m, testserver.Config{
			BaseContext: func(ln net.Listener) context.Context {
				return context.WithValue(context.Background(), key("base"), ln.Addr().String())
			},
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, key("conn"), c.RemoteAddr().String())
			},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				base, _ := r.Context().Value(key("base")).(string)
				conn, _ := r.Context().Value(key("conn")).(string)
				io.WriteString(w, base+" "+conn)
			}),
		})
		c := s.Dial()
		if got, want := c.Open("/").Text(), s.Addr.String()+" "+c.LocalAddr().String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}, testserver.TCP()...)
}
