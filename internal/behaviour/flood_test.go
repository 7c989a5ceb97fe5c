package behaviour_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// The tests of this file try to break the server. After each of them it must
// still answer, and hold nothing it did not hold before.

// besieged starts a server whose leavings are checked when the test has ended.
func besieged(t *testing.T, m testserver.Mode) *testserver.Server {
	t.Helper()
	testserver.NoLeaks(t)
	s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			w.Write(make([]byte, 1<<20))
			return
		}
		echo(w, r)
	})
	t.Cleanup(func() {
		if got := s.Ask(request("POST", "/", "alive")).Text(); got != "alive" {
			t.Errorf("server answers %q", got)
		}
	})
	return s
}

// states are requests in which every state of a connection occurs.
var states = []string{
	get("/", "A: b"),
	request("POST", "/", "hello"),
	chunked("/", "T: v\r\n\r\n", "he", "llo"),
	request("POST", "/", "hello", "Expect: 100-continue"),
	get("/a") + get("/b"),
}

// connect is Dial for many connections at once, each closed by its user.
func connect(t *testing.T, s *testserver.Server) net.Conn {
	t.Helper()
	conn, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestResetInEveryState(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		for _, raw := range states {
			for cut := range len(raw) + 1 {
				c := testserver.NewClient(t, connect(t, s))
				c.Send(raw[:cut])
				c.Reset()
			}
		}
	}, testserver.Plain()...)
}

func TestHalfCloseInEveryState(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		for _, raw := range states {
			for cut := range len(raw) + 1 {
				c := testserver.NewClient(t, connect(t, s))
				c.Send(raw[:cut])
				c.CloseWrite()
				if _, err := c.Rest(); err != nil && !testserver.Ended(err) {
					t.Fatalf("after %q and half-close: %v", raw[:cut], err)
				}
				c.Close()
			}
		}
	}, testserver.Plain()...)
}

// Clients that leave while a long answer is on its way to them.
func TestResetInAnswer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		for i := range 50 {
			c := testserver.NewClient(t, connect(t, s))
			c.Send(get("/long") + get("/long"))
			io.CopyN(io.Discard, c, int64(i*1000))
			c.Reset()
		}
	})
}

// Hundreds of clients that send a byte now and then, all at the same time, and
// all are answered.
func TestDrip(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		const count = 300
		clients := make([]*testserver.Client, count)
		for i := range clients {
			clients[i] = testserver.NewClient(t, connect(t, s))
			defer clients[i].Close()
		}
		raw := chunked("/", "\r\n", "a", "bc")
		for i := range len(raw) {
			for _, c := range clients {
				c.Send(raw[i : i+1])
			}
		}
		for _, c := range clients {
			if got := c.Response("").Text(); got != "abc" {
				t.Fatalf("got %q", got)
			}
		}
	}, testserver.Plain()...)
}

// Bytes without sense, and requests with a few bytes changed. The source of
// randomness has a fixed seed: a failure can be repeated.
func TestGarbage(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 400 {
			raw := []byte(states[i%len(states)])
			if i%4 == 0 {
				raw = make([]byte, random.IntN(2000))
				for j := range raw {
					raw[j] = byte(random.Uint32())
				}
			}
			for range min(len(raw), 1+random.IntN(3)) {
				raw[random.IntN(len(raw))] = byte(random.Uint32())
			}
			c := testserver.NewClient(t, connect(t, s))
			throwAt(t, c, raw)
		}
	}, testserver.Plain()...)
}

// throwAt sends raw and nothing more, and waits for the connection to end.
func throwAt(t *testing.T, c *testserver.Client, raw []byte) {
	t.Helper()
	c.TrySend(string(raw)) // the server may have closed already
	c.CloseWrite()
	if _, err := c.Rest(); err != nil && !testserver.Ended(err) {
		t.Fatalf("after %q: %v", raw, err)
	}
	c.Close()
}

// Garbage on a TLS port, and clients that leave in the middle of a handshake.
func TestTLSGarbage(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		random := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			conn, err := s.ConnectPlain()
			if err != nil {
				t.Fatal(err)
			}
			c := testserver.NewClient(t, conn)
			raw := make([]byte, 1+random.IntN(600))
			for j := range raw {
				raw[j] = byte(random.Uint32())
			}
			copy(raw, "\x16\x03\x01"[:random.IntN(4)])
			throwAt(t, c, raw)
		}
	}, testserver.Encrypted()...)
}

// A million chunks of one byte: slow for the one who sends them, not for others.
func TestTinyChunks(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		testserver.NoLeaks(t)
		const count = 1_000_000
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
		})
		c := s.Dial()
		sent := make(chan error, 1)
		go func() {
			sent <- errors.Join(
				c.TrySend("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"),
				c.TrySend(strings.Repeat("1\r\nx\r\n", count)+"0\r\n\r\n"))
		}()
		if got, want := c.Response("").Text(), fmt.Sprint(int64(count), nil); got != want {
			t.Errorf("handler read %s, want %s", got, want)
		}
		if err := testserver.Receive(t, "the body to be sent", sent); err != nil {
			t.Error(err)
		}
	}, testserver.H1, testserver.NetHTTP)
}

// Many clients at once, each with many requests, some of which leave early.
func TestCrowd(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		var crowd sync.WaitGroup
		for i := range 100 {
			conn := connect(t, s)
			crowd.Go(func() {
				c := testserver.NewClient(t, conn)
				defer c.Close()
				for j := range 20 {
					if i%10 == 9 && j == i/10 {
						c.TrySend("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhal")
						c.Reset()
						return
					}
					body := strings.Repeat("x", i*j)
					if c.TrySend(request("POST", "/", body)) != nil {
						t.Error("connection lost")
						return
					}
					if res, err := c.Next(""); err != nil || res.Text() != body {
						t.Errorf("client %d, request %d: %+v, %v", i, j, res, err)
						return
					}
				}
			})
		}
		crowd.Wait()
	})
}

// fewDescriptors is what serveWithFewDescriptors lowers RLIMIT_NOFILE to.
const fewDescriptors = 40

// serveWithFewDescriptors is a program of its own: a server that can hold far
// fewer connections than are opened to it. It prints its address, and ends well
// when its standard input does if it has kept nothing.
func serveWithFewDescriptors() error {
	limit := syscall.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	var server interface {
		Serve(net.Listener) error
		Close() error
	} = &gatehouse.Server{Handler: http.HandlerFunc(sayHello)}
	if os.Getenv(oracleVariable) != "" {
		server = &http.Server{Handler: http.HandlerFunc(sayHello)}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	fmt.Println(ln.Addr())
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != io.EOF {
		return err
	}
	server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// oracleVariable tells the child to serve with net/http.
const oracleVariable = "GATEHOUSE_TEST_ORACLE"

// More clients than the process has descriptors: those that fit are served,
// the others wait, and when the first have gone all is well again.
func TestOutOfDescriptors(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		testserver.NoLeaks(t)
		var env []string
		if m.Oracle() {
			env = []string{oracleVariable + "=yes"}
		}
		child := testserver.StartChild(t, "scarce", env...)
		addr := child.Line()
		dial := func() *testserver.Client {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			return testserver.NewClient(t, conn)
		}
		for range 2 {
			clients := make([]*testserver.Client, 4*fewDescriptors)
			for i := range clients {
				clients[i] = dial()
			}
			for _, c := range clients[:fewDescriptors/2] {
				if got := c.Open("/").Text(); got != "hello" {
					t.Fatalf("got %q", got)
				}
			}
			for _, c := range clients {
				c.Close()
			}
			c := dial()
			if got := c.Open("/").Text(); got != "hello" {
				t.Fatalf("after the flood: %q", got)
			}
			c.Close()
		}
		child.Stop()
	}, testserver.H1, testserver.NetHTTP)
}

// A client that sends requests and reads no answer is not taken more from than
// the buffers on the way hold.
func TestRequestsWithoutReading(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := besieged(t, m)
		c := testserver.NewClient(t, connect(t, s))
		c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		more := strings.Repeat(get("/long"), 100)
		var err error
		for sent := 0; err == nil && sent < 256<<20; sent += len(more) {
			err = c.TrySend(more)
		}
		if !testserver.TimedOut(err) {
			t.Errorf("the server took it all, or ended: %v", err)
		}
		c.Reset()
	}, testserver.Plain()...)
}
