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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse"
)

// pipes is a listener whose connections are made by dial and live in memory, so
// that time can be made up around them.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// ask makes one request on c and returns the body of the answer.
func ask(t *testing.T, c net.Conn, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	send(t, c, fmt.Sprintf(getRequest, ""))
	return receive(t, r)
}

// TestIdleConnectionMoves lets a connection sleep and wakes it up again.
func TestIdleConnectionMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var quiet atomic.Int32
		s := &gatehouse.Server{Handler: http.HandlerFunc(greet), IdleTimeout: time.Minute, OnQuiet: func() { quiet.Add(1) }}
		l := newPipes()
		serveOn(t, s, l)
		c := l.dial()
		r := bufio.NewReader(c)
		for range 3 {
			if _, body := ask(t, c, r); body != "hello /" {
				t.Errorf("body %q", body)
			}
			synctest.Wait()
			if got := s.States(); !slices.Equal(got, []string{"idle"}) {
				t.Errorf("states after an answer: %v", got)
			}
			<-time.After(gatehouse.MoveAfter + 2*time.Second)
			synctest.Wait()
			if got := s.States(); !slices.Equal(got, []string{"asleep"}) {
				t.Errorf("states after a while: %v", got)
			}
		}
		if got := quiet.Load(); got != 1 {
			t.Errorf("OnQuiet was called %d times in 20 s, want once", got)
		}
		// The time-out counts from the last answer, not from the move.
		began := time.Now()
		if _, err := r.ReadByte(); err != io.EOF {
			t.Errorf("after the idle time-out: %v, want the end", err)
		}
		if passed := time.Since(began) + gatehouse.MoveAfter + 2*time.Second; passed < time.Minute || passed > time.Minute+2*time.Second {
			t.Errorf("closed after %v, want a minute", passed)
		}
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		s := &gatehouse.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(entered)
				<-release
			}
			greet(w, r)
		})}
		l := newPipes()
		serveOn(t, s, l)

		idle, busy, silent, half := l.dial(), l.dial(), l.dial(), l.dial()
		idleReader := bufio.NewReader(idle)
		ask(t, idle, idleReader)
		send(t, busy, fmt.Sprintf(getRequest, "slow"))
		<-entered
		send(t, half, "GET /half HTTP/1.1\r\nHost:")
		synctest.Wait()

		ended := make(chan error, 1)
		began := time.Now()
		go func() { ended <- s.Shutdown(context.Background()) }()
		if _, err := idleReader.ReadByte(); err != io.EOF {
			t.Errorf("idle connection: %v, want the end", err)
		}
		if passed := time.Since(began); passed > 100*time.Millisecond {
			t.Errorf("the idle connection was closed after %v, want at once", passed)
		}
		if n, err := silent.Read(make([]byte, 1)); n > 0 || err != io.EOF {
			t.Errorf("connection that never sent: %d bytes, %v, want the end", n, err)
		}
		send(t, half, " test\r\n\r\n")
		if resp, body := receive(t, bufio.NewReader(half)); body != "hello /half" || !resp.Close {
			t.Errorf("request that was on its way: %q, closing %t", body, resp.Close)
		}
		select {
		case err := <-ended:
			t.Fatalf("Shutdown returned %v while a request was under way", err)
		default:
		}
		close(release)
		if resp, body := receive(t, bufio.NewReader(busy)); body != "hello /slow" || !resp.Close {
			t.Errorf("request that was under way: %q, closing %t", body, resp.Close)
		}
		if err := <-ended; err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
		if got := s.States(); len(got) > 0 {
			t.Errorf("connections are left: %v", got)
		}
	})
}

// TestShutdownGivesUp waits no longer than its context.
func TestShutdownGivesUp(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := &gatehouse.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	})}
	addr := serve(t, s)
	defer close(release)
	send(t, dial(t, addr), fmt.Sprintf(getRequest, ""))
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v, want its context's error", err)
	}
}

// TestCloseCancels ends a request that waits for its context.
func TestCloseCancels(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan error, 1)
	s := &gatehouse.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		done := r.Context().Done()
		close(entered)
		<-done
		ended <- r.Context().Err()
	})}
	addr := serve(t, s)
	send(t, dial(t, addr), fmt.Sprintf(getRequest, ""))
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != context.Canceled {
		t.Errorf("the context ended with %v", err)
	}
}
