package gatehouse_test

import (
	"bufio"
	"context"
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
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// dialMemory connects to l.
func dialMemory(t *testing.T, l *testserver.Memory) net.Conn {
	t.Helper()
	c, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

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
		l := testserver.NewMemory()
		serveOn(t, s, l)
		c := dialMemory(t, l)
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
		l := testserver.NewMemory()
		serveOn(t, s, l)

		idle, busy, silent, half := dialMemory(t, l), dialMemory(t, l), dialMemory(t, l), dialMemory(t, l)
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
