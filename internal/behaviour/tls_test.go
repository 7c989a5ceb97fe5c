package behaviour_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestTLSState(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			state := r.TLS
			fmt.Fprintf(w, "%v %s %s %s", state.HandshakeComplete, state.ServerName, state.NegotiatedProtocol, tls.VersionName(state.Version))
		})
		if got, want := s.Get("/").Text(), "true localhost http/1.1 TLS 1.3"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}, testserver.Encrypted()...)
}

// Who speaks plain HTTP to a TLS port is told so.
func TestPlainHTTPToTLS(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		conn, err := s.ConnectPlain()
		if err != nil {
			t.Fatal(err)
		}
		c := testserver.NewClient(t, conn)
		c.Send(get("/"))
		answer, err := c.Rest()
		if err != nil && !testserver.Ended(err) {
			t.Fatal(err)
		}
		if !strings.HasPrefix(answer, "HTTP/1.") || !strings.Contains(answer, " 400 Bad Request\r\n") || !strings.Contains(answer, "HTTPS") {
			t.Errorf("answer %q", answer)
		}
	}, testserver.Encrypted()...)
}

func TestHandshakeFailures(t *testing.T) {
	tests := []struct {
		name string
		act  func(c *testserver.Client)
	}{
		{"nothing", func(c *testserver.Client) { c.Close() }},
		{"garbage", func(c *testserver.Client) { c.Send(strings.Repeat("\x00\xff\x16", 100)) }},
		{"half a hello", func(c *testserver.Client) { c.Send("\x16\x03\x01\x02\x00\x01\x00"); c.CloseWrite() }},
		{"reset", func(c *testserver.Client) { c.Send("\x16\x03\x01"); c.Reset() }},
		{"record too long", func(c *testserver.Client) { c.Send("\x16\x03\x01\xff\xff" + strings.Repeat("x", 1000)) }},
		{"alert", func(c *testserver.Client) { c.Send("\x15\x03\x01\x00\x02\x02\x28") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, sayHello)
				conn, err := s.ConnectPlain()
				if err != nil {
					t.Fatal(err)
				}
				c := testserver.NewClient(t, conn)
				tt.act(c)
				if _, err := c.Rest(); err != nil && !testserver.Ended(err) {
					t.Errorf("connection not ended: %v", err)
				}
				if got := s.Get("/").Text(); got != "hello" {
					t.Errorf("got %q", got)
				}
			}, testserver.Encrypted()...)
		})
	}
}

// A client that never completes the handshake is not waited for for ever.
func TestHandshakeTimeout(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.StartConfig(t, m, testserver.Config{Handler: http.HandlerFunc(sayHello), HeadTimeout: 200 * time.Millisecond})
		conn, err := s.ConnectPlain()
		if err != nil {
			t.Fatal(err)
		}
		c := testserver.NewClient(t, conn)
		c.Send("\x16\x03\x01\x02\x00")
		if _, err := c.Rest(); err != nil && !testserver.Ended(err) {
			t.Errorf("connection not ended: %v", err)
		}
	}, testserver.Encrypted()...)
}

// A client that is not trusted, or speaks no version in common, ends its own
// connection and no other.
func TestHandshakeRefused(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		for name, config := range map[string]*tls.Config{
			"unknown authority": {ServerName: "localhost"},
			"other name":        {ServerName: "elsewhere", RootCAs: s.TLSConfig().RootCAs},
			"protocol":          {ServerName: "localhost", RootCAs: s.TLSConfig().RootCAs, NextProtos: []string{"other"}},
		} {
			conn, err := s.ConnectPlain()
			if err != nil {
				t.Fatal(err)
			}
			secure := tls.Client(conn, config)
			if err := secure.HandshakeContext(t.Context()); err == nil {
				t.Errorf("%s: handshake went well", name)
			}
			conn.Close()
		}
		if got := s.Get("/").Text(); got != "hello" {
			t.Errorf("got %q", got)
		}
	}, testserver.Encrypted()...)
}

// A large answer crosses many records unharmed, also when it comes from a file.
func TestTLSLargeAnswer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		want := strings.Repeat("0123456789", 300_000)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, want) })
		if got := s.Get("/").Text(); got != want {
			t.Errorf("%d bytes", len(got))
		}
	}, testserver.Encrypted()...)
}

// A listener of crypto/tls may be served as any other.
func TestTLSListener(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		cert, roots := testserver.Certificate(t)
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
		if err != nil {
			t.Fatal(err)
		}
		testserver.StartConfig(t, m, testserver.Config{Listener: ln, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.TLS != nil && r.TLS.HandshakeComplete)
		})})
		conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots})
		if err != nil {
			t.Fatal(err)
		}
		c := testserver.NewClient(t, conn)
		for range 3 {
			if got := c.Open("/").Text(); got != "true" {
				t.Errorf("r.TLS is complete: %q", got)
			}
		}
	}, testserver.H1, testserver.NetHTTP)
}

// A configuration that offers HTTP/2, as those of certificate managers do, must
// not make clients speak it: nobody here does.
func TestProtocolsOffered(t *testing.T) {
	cert, roots := testserver.Certificate(t)
	offers := make([]string, 0, 3)
	offers = append(offers, "h2", "other")
	for _, tt := range []struct {
		name   string
		wanted []string
		want   string
	}{
		{"HTTP/2 first", []string{"h2", "http/1.1"}, "http/1.1"},
		{"HTTP/1.1", []string{"http/1.1"}, "http/1.1"},
		{"none", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &gatehouse.Server{Handler: http.HandlerFunc(sayHello), TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{cert}, NextProtos: offers,
			}}
			c := dialTLS(t, s, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: tt.wanted})
			if got := c.Open("/").Text(); got != "hello" {
				t.Errorf("got %q", got)
			}
			if got := c.Conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != tt.want {
				t.Errorf("negotiated %q, want %q", got, tt.want)
			}
		})
	}
	if got := offers[:3]; !slices.Equal(got, []string{"h2", "other", ""}) {
		t.Errorf("the configuration was changed: %q", got)
	}
	t.Run("other protocol", func(t *testing.T) {
		s := &gatehouse.Server{Handler: http.HandlerFunc(sayHello), TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert}, NextProtos: offers,
		}}
		c := dialTLS(t, s, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"other"}})
		if res, err := c.Next(""); res != nil || !testserver.Ended(err) {
			t.Errorf("%+v, %v, want the end of the connection", res, err)
		}
	})
}

// dialTLS serves with s and connects to it.
func dialTLS(t *testing.T, s *gatehouse.Server, config *tls.Config) *testserver.Client {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.ServeTLS(ln, "", "") }()
	t.Cleanup(func() {
		s.Close()
		testserver.Receive(t, "the end of serving", served)
	})
	conn, err := tls.Dial("tcp", ln.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	return testserver.NewClient(t, conn)
}

// deaf is a connection whose user never gets to read anything.
type deaf struct {
	net.Conn
	hungUp <-chan struct{}
}

func (d deaf) Read([]byte) (int, error) {
	<-d.hungUp
	return 0, io.EOF
}

// A client that says hello and takes nothing of the answer blocks the server in
// a write. That too is within the time for the handshake.
func TestHandshakeWithDeafClient(t *testing.T) {
	cert, _ := testserver.Certificate(t)
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		synctest.Test(t, func(t *testing.T) {
			ln := testserver.NewMemory()
			testserver.StartConfig(t, m, testserver.Config{
				Handler:     http.HandlerFunc(sayHello),
				Listener:    tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}}),
				HeadTimeout: headTimeout,
			})
			conn, err := ln.Dial()
			if err != nil {
				t.Fatal(err)
			}
			hungUp, said := make(chan struct{}), make(chan error, 1)
			go func() {
				said <- tls.Client(deaf{conn, hungUp}, &tls.Config{ServerName: "localhost"}).Handshake()
			}()
			<-time.After(headTimeout + slack)
			synctest.Wait()
			// The server has ended the connection if a write fails at once.
			conn.SetWriteDeadline(time.Now().Add(time.Minute))
			began := time.Now()
			if _, err := conn.Write([]byte("x")); testserver.TimedOut(err) || time.Since(began) > 0 {
				t.Errorf("after %v: %v, want the end of the connection", time.Since(began), err)
			}
			close(hungUp)
			<-said
		})
	}, testserver.H1, testserver.NetHTTP)
}
