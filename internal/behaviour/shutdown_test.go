package behaviour_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// shutDown starts Shutdown and returns its result, and a way to know that it
// has begun: new connections are refused.
func shutDown(t *testing.T, s *testserver.Server) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- s.Shutdown(t.Context()) }()
	testserver.Eventually(t, "the listener to be closed", func() bool {
		conn, err := s.ConnectPlain()
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	return result
}

func TestShutdownIdle(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		clients := make([]*testserver.Client, 20)
		for i := range clients {
			clients[i] = s.Dial()
			clients[i].Open("/")
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		for _, c := range clients {
			c.Closed()
		}
	})
}

func TestShutdownWithoutConnections(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		s.Get("/")
		for range 2 {
			if err := s.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close after Shutdown: %v", err)
		}
	})
}

// underWay starts a server and a request whose handler has been reached and goes
// on once proceed is closed.
func underWay(t *testing.T, m testserver.Mode) (s *testserver.Server, c *testserver.Client, proceed chan struct{}) {
	t.Helper()
	reached, proceed := make(chan struct{}), make(chan struct{})
	s = testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-proceed
		sayHello(w, r)
	})
	c = s.Dial()
	c.Send(get("/"))
	testserver.Receive(t, "the handler", reached)
	return s, c, proceed
}

// What is under way is finished, says that the connection ends, and only then
// Shutdown returns.
func TestShutdownActive(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s, c, proceed := underWay(t, m)
		result := shutDown(t, s)
		select {
		case err := <-result:
			t.Fatalf("Shutdown returned with a request under way: %v", err)
		default:
		}
		close(proceed)
		res := c.Response("")
		if res.Text() != "hello" || res.Get("Connection") != "close" {
			t.Errorf("%q, Connection %q", res.Body, res.Get("Connection"))
		}
		c.Closed()
		if err := testserver.Receive(t, "Shutdown", result); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// A stream that is being written goes on to its end.
func TestShutdownStreaming(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		parts := make(chan string)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			for p := range parts {
				io.WriteString(w, p)
				w.(http.Flusher).Flush()
			}
		})
		c := s.Dial()
		c.Send(get("/"))
		c.Head("")
		result := shutDown(t, s)
		for i := range 5 {
			p := fmt.Sprintf("part %d", i)
			parts <- p
			if got := c.Chunk(); got != p {
				t.Fatalf("chunk %q, want %q", got, p)
			}
		}
		close(parts)
		if got := c.Chunk(); got != "" {
			t.Errorf("chunk %q", got)
		}
		c.Expect("\r\n")
		c.Closed()
		if err := testserver.Receive(t, "Shutdown", result); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// A body that is being read goes on to its end.
func TestShutdownUploading(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached := make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			close(reached)
			echo(w, r)
		})
		c := s.Dial()
		raw := request("POST", "/", "hello")
		c.Send(raw[:len(raw)-3])
		testserver.Receive(t, "the handler", reached)
		result := shutDown(t, s)
		c.Send(raw[len(raw)-3:])
		if res := c.Response(""); res.Text() != "hello" {
			t.Errorf("%d %q", res.Status, res.Body)
		}
		c.Closed()
		if err := testserver.Receive(t, "Shutdown", result); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

func TestShutdownStopsWaiting(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s, c, proceed := underWay(t, m)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
		// It only stopped waiting: the request still ends well.
		close(proceed)
		if got := c.Response("").Text(); got != "hello" {
			t.Errorf("got %q", got)
		}
	})
}

// A connection that was accepted and has sent nothing is no reason to wait
// long.
func TestShutdownUnused(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		t.Parallel() // they wait together
		s := testserver.Start(t, m, sayHello)
		unused := s.Dial()
		s.Get("/") // accepted behind it
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if got, want := fmt.Sprint(s.Shutdown(ctx)), expected(m, "shutdown with an unused connection", "<nil>"); got != want {
			t.Errorf("Shutdown: %s, want %s", got, want)
		}
		s.Close()
		unused.Closed()
	})
}

// Every request that a client has had answered or not: with connections that
// are busy while the server shuts down, each request is answered whole or its
// connection ends before the first byte of an answer.
func TestShutdownUnderLoad(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 5000))
		})
		const clients = 20
		failed, warm := make(chan error, clients), make(chan struct{}, clients)
		for range clients {
			c := s.Dial()
			go func() {
				for i := 0; ; i++ {
					if i == 10 {
						warm <- struct{}{}
					}
					if c.TrySend(get("/")) != nil {
						failed <- nil
						return
					}
					res, err := c.Next("")
					switch {
					case err == nil && len(res.Body) == 5000 && res.Get("Connection") == "close":
						failed <- nil
						return
					case err == nil && len(res.Body) == 5000:
					case res == nil && testserver.Ended(err) && !errors.Is(err, io.ErrUnexpectedEOF):
						failed <- nil
						return
					default:
						failed <- fmt.Errorf("answer %d: %+v, %w", i, res, err)
						return
					}
				}
			}()
		}
		for range clients {
			testserver.Receive(t, "the clients to be busy", warm)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		for range clients {
			if err := testserver.Receive(t, "a client to end", failed); err != nil {
				t.Error(err)
			}
		}
	})
}

// Close ends all at once: the client is cut off, the handler's context ends,
// its writes fail.
func TestCloseActive(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached, ended := make(chan struct{}), make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			close(reached)
			<-r.Context().Done()
			close(ended)
		})
		idle := s.Dial()
		c := s.Dial()
		c.Send(get("/"))
		testserver.Receive(t, "the handler", reached)
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		testserver.Receive(t, "the context to end", ended)
		if res, err := c.Next(""); !testserver.Ended(err) {
			t.Errorf("%+v, %v", res, err)
		}
		idle.Closed()
	})
}

// A server that is closed serves nothing more, also on a new listener.
func TestClosedServerServesNothing(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		s.Get("/")
		s.Close()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		if _, err := ln.Accept(); err == nil {
			t.Error("listener left open")
		}
	})
}
