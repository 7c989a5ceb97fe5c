package behaviour_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// The time-outs of the bubble's servers.
const (
	headTimeout = 10 * time.Second
	bodyStall   = 20 * time.Second
	writeStall  = 30 * time.Second
	idleTimeout = 60 * time.Second
)

// slack is how much later than promised a time-out may come: the engine may
// look at a coarse clock.
const slack = 2 * time.Second

// bubble runs f with a server and a client on a network in memory, where time
// passes only while all wait. net/http lacks some time-outs; row names the line
// of the divergences that says so.
func bubble(t *testing.T, row string, h http.HandlerFunc, f func(t *testing.T, m testserver.Mode, c *testserver.Client)) {
	bubbleOf(t, row, func() http.HandlerFunc { return h }, f)
}

// bubbleOf is bubble for handlers that hold channels: those must be made inside.
func bubbleOf(t *testing.T, row string, h func() http.HandlerFunc, f func(t *testing.T, m testserver.Mode, c *testserver.Client)) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		synctest.Test(t, func(t *testing.T) {
			ln := testserver.NewMemory()
			testserver.StartConfig(t, m, testserver.Config{
				Handler: h(), Listener: ln,
				HeadTimeout: headTimeout, BodyStallTimeout: bodyStall,
				WriteStallTimeout: writeStall, IdleTimeout: idleTimeout,
			})
			conn, err := ln.Dial()
			if err != nil {
				t.Fatal(err)
			}
			c := testserver.NewClient(t, conn)
			c.SetDeadline(time.Time{})
			f(t, m, c)
		})
	}, modesOf(row, []testserver.Mode{testserver.H1, testserver.NetHTTP})...)
}

// within fails the test unless about d has passed since began.
func within(t *testing.T, began time.Time, d time.Duration) {
	t.Helper()
	if passed := time.Since(began); passed < d || passed > d+slack {
		t.Errorf("after %v, want %v", passed, d)
	}
}

func TestHeadTimeout(t *testing.T) {
	ending := func(c *testserver.Client) string {
		res, err := c.Next("")
		if res != nil {
			return fmt.Sprint(res.Status)
		}
		return describe(res, err, c)
	}
	t.Run("nothing sent", func(t *testing.T) {
		bubble(t, "", sayHello, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
			began := time.Now()
			if got := ending(c); got != "closed unanswered" {
				t.Errorf("got %s", got)
			}
			within(t, began, headTimeout)
		})
	})
	t.Run("half a head", func(t *testing.T) {
		bubble(t, "", sayHello, func(t *testing.T, m testserver.Mode, c *testserver.Client) {
			began := time.Now()
			c.Send("GET / HTTP/1.1\r\nHo")
			if got, want := ending(c), expected(m, "slow head", "408"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			within(t, began, headTimeout)
		})
	})
	t.Run("a byte each second", func(t *testing.T) {
		bubble(t, "", sayHello, func(t *testing.T, m testserver.Mode, c *testserver.Client) {
			began := time.Now()
			dripped := make(chan struct{})
			go func() {
				defer close(dripped)
				for i := range 1000 {
					<-time.After(time.Second)
					if c.TrySend(get("/", "A: "+strings.Repeat("b", 1000))[i:i+1]) != nil {
						return
					}
				}
			}()
			ending(c)
			within(t, began, headTimeout)
			<-dripped
		})
	})
	t.Run("second head on a kept connection", func(t *testing.T) {
		bubble(t, "", sayHello, func(t *testing.T, m testserver.Mode, c *testserver.Client) {
			c.Open("/")
			<-time.After(idleTimeout / 2)
			began := time.Now()
			c.Send("GET /")
			if got, want := ending(c), expected(m, "slow head", "408"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			within(t, began, headTimeout)
		})
	})
	t.Run("slow but in time", func(t *testing.T) {
		bubble(t, "", sayHello, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
			raw := get("/")
			for i := range 3 {
				for j := range 8 {
					c.Send(raw[j : j+1])
					<-time.After(headTimeout / 10)
				}
				c.Send(raw[8:])
				if res := c.Response(""); res.Status != 200 {
					t.Fatalf("round %d: %d", i, res.Status)
				}
			}
		})
	})
}

func TestIdleTimeout(t *testing.T) {
	bubble(t, "", sayHello, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
		for range 3 {
			c.Open("/")
			<-time.After(idleTimeout - 5*time.Second)
		}
		c.Open("/")
		began := time.Now()
		c.Closed()
		within(t, began, idleTimeout)
	})
}

// Whatever a connection does while it waits for the next request, it takes one
// at any moment, also in two parts.
func TestPauses(t *testing.T) {
	bubble(t, "", echo, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
		raw := request("POST", "/", "hello")
		for pause := time.Duration(0); pause < 12*time.Second; pause += 130 * time.Millisecond {
			<-time.After(pause)
			c.Send(raw[:1])
			<-time.After(pause / 3)
			c.Send(raw[1:])
			if res := c.Response(""); res.Text() != "hello" {
				t.Fatalf("after %v: %d %q", pause, res.Status, res.Body)
			}
		}
	})
}

// Time spent in a handler counts for no time-out.
func TestSlowHandler(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		<-time.After(time.Hour)
		echo(w, r)
	}
	bubble(t, "", slow, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
		for range 3 {
			if res := c.Roundtrip(get("/")); res.Status != 200 {
				t.Fatalf("status %d", res.Status)
			}
		}
		sent := make(chan error, 1)
		go func() { sent <- c.TrySend(request("POST", "/", "hello")) }()
		if res := c.Response(""); res.Status != 200 || res.Text() != "hello" {
			t.Fatalf("%d %q", res.Status, res.Body)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// A body may take as long as it wants while it moves.
func TestSlowBody(t *testing.T) {
	for _, tt := range []struct {
		name string
		head string
		part func(i int) string
		tail string
	}{
		{"length", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n", func(int) string { return "x" }, ""},
		{"chunked", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", func(int) string { return "1\r\nx\r\n" }, "0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, "", echo, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
				for range 2 {
					c.Send(tt.head)
					for i := range 20 {
						<-time.After(bodyStall - 5*time.Second)
						c.Send(tt.part(i))
					}
					if tt.tail != "" {
						c.Send(tt.tail)
					}
					if res := c.Response(""); res.Status != 200 || len(res.Body) != 20 {
						t.Fatalf("%d %q", res.Status, res.Body)
					}
				}
			})
		})
	}
}

// A body that stops fails the handler's Read; if nothing was answered yet the
// client is told.
func TestStalledBody(t *testing.T) {
	for _, raw := range []string{
		"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nhello",
		"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n",
	} {
		t.Run(fmt.Sprint(len(raw)), func(t *testing.T) {
			var got chan error
			handler := func() http.HandlerFunc {
				got = make(chan error, 1)
				return func(w http.ResponseWriter, r *http.Request) {
					_, err := io.Copy(io.Discard, r.Body)
					got <- err
				}
			}
			bubbleOf(t, "body stall time-out", handler, func(t *testing.T, m testserver.Mode, c *testserver.Client) {
				c.Send(raw)
				began := time.Now()
				res, err := c.Next("")
				if err != nil || res.Status != http.StatusRequestTimeout {
					t.Errorf("answer %+v, %v; want 408", res, err)
				}
				within(t, began, bodyStall)
				if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Read failed with %v", err)
				}
				c.Closed()
			})
		})
	}
}

// A reader may be as slow as it wants while it reads; one that stops ends the
// response, and the handler's write with it.
func TestSlowReader(t *testing.T) {
	const size = 100_000
	t.Run("moves", func(t *testing.T) {
		handler := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			if n, err := io.WriteString(w, strings.Repeat("x", size)); err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		bubble(t, "", handler, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
			c.Send(get("/"))
			c.Head("")
			for got := 0; got < size; {
				<-time.After(time.Second)
				n, err := c.Read(make([]byte, 1000))
				if err != nil {
					t.Fatalf("cut after %d bytes: %v", got, err)
				}
				got += n
			}
		})
	})
	t.Run("stops", func(t *testing.T) {
		var got chan error
		handler := func() http.HandlerFunc {
			got = make(chan error, 1)
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(size))
				_, err := io.WriteString(w, strings.Repeat("x", size))
				got <- err
			}
		}
		bubbleOf(t, "write stall time-out", handler, func(t *testing.T, _ testserver.Mode, c *testserver.Client) {
			c.Send(get("/"))
			c.Head("")
			began := time.Now()
			if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write failed with %v", err)
			}
			within(t, began, writeStall)
		})
	})
}

// The same through sendfile: a reader that stops in the middle of a large file.
func TestStalledDownload(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 256 << 20 // sparse; beyond every socket buffer
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		got := make(chan error, 1)
		s := testserver.StartConfig(t, m, testserver.Config{
			WriteStallTimeout: 200 * time.Millisecond,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f, err := os.Open(name)
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				w.Header().Set("Content-Length", fmt.Sprint(size))
				_, err = io.Copy(w, f)
				got <- err
			}),
		})
		c := s.Dial()
		c.Send(get("/"))
		c.Head("")
		if err := testserver.Receive(t, "the copy to fail", got); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("copy failed with %v", err)
		}
	}, modesOf("write stall time-out", testserver.All())...)
}
