package behaviour_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// One server serves several listeners of several kinds, and Close ends them all.
func TestServeSeveralListeners(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		var others []net.Listener
		served := make(chan error, 3)
		for _, l := range [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "other")}} {
			ln, err := net.Listen(l[0], l[1])
			if err != nil {
				t.Fatal(err)
			}
			others = append(others, ln)
			go func() { served <- s.Serve(ln) }()
		}
		for _, ln := range others {
			conn, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if got := testserver.NewClient(t, conn).Open("/").Text(); got != "hello" {
				t.Errorf("%v: %q", ln.Addr(), got)
			}
		}
		if got := s.Get("/").Text(); got != "hello" {
			t.Errorf("got %q", got)
		}
		s.Close()
		for range others {
			if err := testserver.Receive(t, "Serve to return", served); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("Serve: %v", err)
			}
		}
	})
}

// Two servers in one process share nothing.
func TestServersShareNothing(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		first := testserver.Start(t, m, answer(0, nil, "first"))
		second := testserver.Start(t, m, answer(0, nil, "second"))
		c := second.Dial()
		if got := first.Get("/").Text() + c.Open("/").Text(); got != "firstsecond" {
			t.Errorf("got %q", got)
		}
		first.Close()
		if got := c.Open("/").Text() + second.Get("/").Text(); got != "secondsecond" {
			t.Errorf("got %q", got)
		}
	})
}

// failingListener fails with the errors, one for each Accept, before it works.
type failingListener struct {
	net.Listener
	mu     sync.Mutex
	errors []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	if len(l.errors) > 0 {
		err := l.errors[0]
		l.errors = l.errors[1:]
		l.mu.Unlock()
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	l.mu.Unlock()
	return l.Listener.Accept()
}

// Errors of the moment do not end Serve; it waits a little and goes on.
func TestAcceptErrorsPass(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
		t.Run(err.Error(), func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				ln, lerr := net.Listen("tcp", "127.0.0.1:0")
				if lerr != nil {
					t.Fatal(lerr)
				}
				s := testserver.StartConfig(t, m, testserver.Config{
					Handler:  http.HandlerFunc(sayHello),
					Listener: &failingListener{Listener: ln, errors: []error{err, err, err}},
				})
				if got := s.Get("/").Text(); got != "hello" {
					t.Errorf("got %q", got)
				}
				s.Log.Wait(t, err.Error())
			}, testserver.H1, testserver.NetHTTP)
		})
	}
}

// An error that says something about the listener ends Serve.
func TestAcceptErrorForGood(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken for good")
		if err := s.Serve(&failingListener{Listener: ln, errors: []error{syscall.EMFILE, broken}}); !errors.Is(err, broken) {
			t.Errorf("Serve: %v", err)
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("listener left open: %v", err)
		}
		if got := s.Get("/").Text(); got != "hello" {
			t.Errorf("the other listener answers %q", got)
		}
	}, testserver.H1, testserver.NetHTTP)
}

// The server's own listeners: a Unix-domain socket has an address that a test
// can know beforehand.
func TestListenAndServe(t *testing.T) {
	cert, roots := testserver.Certificate(t)
	certFile, keyFile := pemFiles(t, cert)
	for _, tt := range []struct {
		name  string
		serve func(s *gatehouse.Server) error
		dial  func(path string) (net.Conn, error)
	}{
		{"plain", (*gatehouse.Server).ListenAndServe, func(path string) (net.Conn, error) {
			return net.Dial("unix", path)
		}},
		{"TLS", func(s *gatehouse.Server) error { return s.ListenAndServeTLS(certFile, keyFile) }, func(path string) (net.Conn, error) {
			return tls.Dial("unix", path, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			s := &gatehouse.Server{Addr: "unix:" + path, Handler: http.HandlerFunc(sayHello), ErrorLog: slog.New(slog.DiscardHandler)}
			served := make(chan error, 1)
			go func() { served <- tt.serve(s) }()
			var conn net.Conn
			testserver.Eventually(t, "the socket to be there", func() (ok bool) {
				var err error
				conn, err = tt.dial(path)
				return err == nil
			})
			if got := testserver.NewClient(t, conn).Open("/").Text(); got != "hello" {
				t.Errorf("got %q", got)
			}
			s.Close()
			if err := testserver.Receive(t, "the end of serving", served); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving ended with %v", err)
			}
			if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving again: %v", err)
			}
		})
	}
	t.Run("no such certificate", func(t *testing.T) {
		s := &gatehouse.Server{Addr: "127.0.0.1:0"}
		if err := s.ListenAndServeTLS(certFile+".none", keyFile); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("serving ended with %v", err)
		}
	})
}

// pemFiles writes certificate and key where ListenAndServeTLS wants them.
func pemFiles(t *testing.T, cert tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return write("cert.pem", "CERTIFICATE", cert.Certificate[0]), write("key.pem", "PRIVATE KEY", key)
}
