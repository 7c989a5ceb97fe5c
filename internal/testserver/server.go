package testserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// Config is what a test asks of a server. Each field means the same to the
// engine and to net/http, or is left out by the one that lacks it.
type Config struct {
	Handler http.Handler

	// HeadTimeout bounds the reading of a head, IdleTimeout the wait for the
	// next one. Zero is the server's default.
	HeadTimeout, IdleTimeout time.Duration
	// BodyStallTimeout and WriteStallTimeout bound the time without progress
	// of a body in either direction. net/http has neither.
	BodyStallTimeout, WriteStallTimeout time.Duration

	ConnContext func(ctx context.Context, c net.Conn) context.Context
	BaseContext func(net.Listener) context.Context

	// Listener is served in place of one the mode opens, always by Serve: it
	// brings its own TLS if it has any.
	Listener net.Listener

	// tls is what the modes with TLS serve with.
	tls *tls.Config
}

// server is what both servers have in common.
type server interface {
	Serve(net.Listener) error
	ServeTLS(ln net.Listener, certFile, keyFile string) error
	Shutdown(context.Context) error
	Close() error
}

// Server is a running server. It is closed at the end of its test, which fails
// if Serve does not return http.ErrServerClosed or a handler does not return.
type Server struct {
	// Addr is what the listener is bound to.
	Addr net.Addr
	// Log holds what the server logged.
	Log *Log
	// Mode is the one it was started in.
	Mode Mode

	t        testing.TB
	server   server
	roots    *x509.CertPool
	handlers atomic.Int64
	served   chan error
	ended    bool
}

// Start starts a server with the handler in the mode.
func Start(t testing.TB, m Mode, h http.HandlerFunc) *Server {
	t.Helper()
	return StartConfig(t, m, Config{Handler: h})
}

// StartConfig starts a server in the mode.
func StartConfig(t testing.TB, m Mode, cfg Config) *Server {
	t.Helper()
	s := &Server{Log: &Log{}, Mode: m, t: t, served: make(chan error, 1)}
	ln, encrypted := cfg.Listener, false
	if ln == nil {
		ln, encrypted = s.listen(), m.TLS()
	}
	if encrypted {
		var cert tls.Certificate
		cert, s.roots = Certificate(t)
		cfg.tls = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
	}
	s.Addr = ln.Addr()
	if h := cfg.Handler; h != nil {
		cfg.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.handlers.Add(1)
			defer s.handlers.Add(-1)
			h.ServeHTTP(w, r)
		})
	}
	s.server = newServer(m, cfg, s.Log)
	go func() {
		if encrypted {
			s.served <- s.server.ServeTLS(ln, "", "")
			return
		}
		s.served <- s.server.Serve(ln)
	}()
	t.Cleanup(s.end)
	return s
}

// newServer makes the server of the mode.
func newServer(m Mode, cfg Config, log *Log) server {
	if m.Oracle() {
		return newNetHTTP(cfg, log)
	}
	return newEngine(cfg, log)
}

// listen opens the listener of the server's mode.
func (s *Server) listen() net.Listener {
	s.t.Helper()
	network, address := "tcp", "127.0.0.1:0"
	if s.Mode == H1Unix {
		network, address = "unix", filepath.Join(s.t.TempDir(), "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		s.t.Fatal(err)
	}
	return ln
}

// end closes the server and waits for all it started.
func (s *Server) end() {
	if s.ended {
		return
	}
	s.ended = true
	_ = s.server.Close()
	if err := Receive(s.t, "Serve to return", s.served); !errors.Is(err, http.ErrServerClosed) {
		s.t.Errorf("Serve returned %v, want http.ErrServerClosed", err)
	}
	if !eventually(func() bool { return s.handlers.Load() == 0 }) {
		s.t.Errorf("%d handlers did not return", s.handlers.Load())
	}
}

// Shutdown is the server's Shutdown.
func (s *Server) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }

// Serve serves a further listener, as the server's Serve.
func (s *Server) Serve(ln net.Listener) error { return s.server.Serve(ln) }

// Close is the server's Close.
func (s *Server) Close() error { return s.server.Close() }

// Connect opens a connection to the server, through TLS where the mode says.
func (s *Server) Connect() (net.Conn, error) {
	conn, err := s.ConnectPlain()
	if err != nil || !s.Mode.TLS() {
		return conn, err
	}
	secure := tls.Client(conn, s.TLSConfig())
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// ConnectPlain opens a connection below TLS.
func (s *Server) ConnectPlain() (net.Conn, error) {
	d := net.Dialer{Timeout: Patience}
	return d.Dial(s.Addr.Network(), s.Addr.String())
}

// TLSConfig is what a client needs to trust the server.
func (s *Server) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: s.roots, ServerName: "localhost", NextProtos: []string{"http/1.1"}}
}

// Dial opens a connection and wraps it.
func (s *Server) Dial() *Client {
	s.t.Helper()
	conn, err := s.Connect()
	if err != nil {
		s.t.Fatal(err)
	}
	return NewClient(s.t, conn)
}

// Ask sends one request on a connection of its own and reads the answer.
func (s *Server) Ask(raw string) *Response {
	s.t.Helper()
	c := s.Dial()
	defer c.Close()
	return c.Roundtrip(raw)
}

// Get asks for a path with an HTTP/1.1 request on a connection of its own.
func (s *Server) Get(path string) *Response {
	s.t.Helper()
	return s.Ask("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
}

// Client is a net/http client whose connections all lead to the server,
// whatever host the URL names. It keeps none past the test.
func (s *Server) Client() *http.Client {
	tr := &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return s.ConnectPlain() },
		TLSClientConfig:   s.TLSConfig(),
		DisableKeepAlives: false,
	}
	s.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: Patience}
}

// URL is the server's, for Client.
func (s *Server) URL() string {
	if s.Mode.TLS() {
		return "https://localhost"
	}
	return "http://localhost"
}
