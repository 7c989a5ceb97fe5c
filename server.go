package gatehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// Defaults of the time-outs of a Server.
const (
	DefaultHeadTimeout       = 20 * time.Second // longer than any sane client on a bad line needs
	DefaultBodyStallTimeout  = 30 * time.Second // without a single byte
	DefaultWriteStallTimeout = 30 * time.Second // without a single byte
	DefaultIdleTimeout       = 75 * time.Second // above the 60 s after which load balancers let go themselves
)

// Server serves HTTP/1.1 and HTTP/1.0. The zero value is usable: it serves
// http.DefaultServeMux on port 80 with every limit and time-out at its default.
// Fields must not change once a Serve method has been called. All methods may
// be called at any time from any goroutine; several Servers do not share
// anything.
//
// Handlers find what they know from net/http: a real *http.Request that they
// may keep, and an http.ResponseWriter that is also an http.Flusher, an
// http.Hijacker, an io.ReaderFrom and an io.StringWriter and works with
// http.ResponseController. Three things are different. The limit of
// http.MaxBytesReader is an error to the handler, but does not close the
// connection by itself. The value of http.ServerContextKey is an
// *http.Server that serves nothing: it is there for code that looks whether
// there is a server, and for its ErrorLog. And the context of a request ends up
// to half a second after the client has left, if it leaves that soon after the
// context was first asked.
type Server struct {
	// Addr is where ListenAndServe listens, see Listen; "" is ":80", and ":443"
	// for ListenAndServeTLS.
	Addr string

	// Handler answers; nil means http.DefaultServeMux. "OPTIONS *" and CONNECT
	// never reach it: the first is answered with 200, the second with 501.
	Handler http.Handler

	// TLSConfig is for ServeTLS; nil means the zero configuration. It is cloned.
	TLSConfig *tls.Config

	// Backlog is how many clients may wait to be accepted by ListenAndServe;
	// zero is the system's maximum. See Listen.
	Backlog int

	// HeadTimeout is how long a client may take for a request head, from its
	// first byte (on a new connection from the start, with TLS once more for
	// the handshake). A client that has sent a part gets 408. Zero means
	// DefaultHeadTimeout, less than zero none; so it is with all time-outs.
	// Each may come late by half a second or half its length, whichever is
	// less, and never comes early.
	HeadTimeout time.Duration

	// BodyStallTimeout is how long a handler that reads the request body waits
	// for the next byte before the read fails. However slow, a body that moves
	// is not cut.
	BodyStallTimeout time.Duration

	// WriteStallTimeout is how long a client may take nothing of the response
	// before the connection ends. A client that reads, however slowly, is not
	// cut.
	WriteStallTimeout time.Duration

	// IdleTimeout is how long a connection is kept for the next request.
	IdleTimeout time.Duration

	// MaxRequestLine (bytes, 414 above it), MaxField (bytes of one field line,
	// 431), MaxFields (their number, 431) and MaxHead (bytes of the whole head,
	// 431) bound what a request head may be. Zero means 8192, 8192, 100 and
	// 32768.
	MaxRequestLine, MaxField, MaxFields, MaxHead int

	// MaxBody bounds request bodies, in bytes. A request that announces more is
	// answered with 413 and reaches no handler; where the length is not
	// announced, reading fails with an *http.MaxBytesError. Zero means no bound
	// here, because handlers know better.
	MaxBody int64

	// Name is the Server field of responses that have none of their own; ""
	// means "Gatehouse", "-" sends none.
	Name string

	// ErrorLog takes what nobody else can be told: panics of handlers, accept
	// errors, misuse of a ResponseWriter. Nil means slog.Default.
	ErrorLog *slog.Logger

	// OnReject, if set, is told of each request that the server refuses itself:
	// such requests reach no handler, and so no middleware. It is called from
	// the connection's goroutine, for several connections at once, and should
	// be quick.
	OnReject func(Rejection)

	// ConnState, if set, is told when a connection is new, active, idle,
	// hijacked or closed, as with net/http.
	ConnState func(net.Conn, http.ConnState)

	// OnQuiet, if set, is called when traffic has calmed: every connection that
	// is open has been idle for some seconds, and there was traffic since the
	// last call, which is half a minute ago or more. It is a good moment to give
	// memory back to the system (debug.FreeOSMemory): the Go runtime keeps for
	// long what a wave of requests has needed. It is called from the goroutine
	// that watches over time-outs, which waits for it.
	OnQuiet func()

	// BaseContext, if set, returns the context from which those of all requests
	// on l are derived. The default is context.Background.
	BaseContext func(l net.Listener) context.Context

	// ConnContext, if set, may derive the context of a new connection from ctx.
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	setup    sync.Once
	limits   timeouts
	heads    http1.Limits
	name     []byte       // field line of the Server field, with CRLF; may be empty
	emblem   *http.Server // value of http.ServerContextKey
	clock    *clock
	buffers  buffers
	draining atomic.Bool // Shutdown or Close was called

	mu        sync.Mutex
	listeners map[*net.Listener]struct{}
	conns     map[*conn]struct{}
	sweeping  bool          // a sweeper runs
	busy      bool          // there was traffic since OnQuiet was called
	quietAt   coarse        // when that was
	done      chan struct{} // closed with draining
	drained   chan struct{} // closed once draining and without connections
	woken     chan struct{} // a token makes the sweeper look at once
	sweepers  sync.WaitGroup
}

// prepare computes what the fields mean, once.
func (s *Server) prepare() {
	s.setup.Do(func() {
		s.limits = newTimeouts(
			resolve(s.HeadTimeout, DefaultHeadTimeout),
			resolve(s.BodyStallTimeout, DefaultBodyStallTimeout),
			resolve(s.WriteStallTimeout, DefaultWriteStallTimeout),
			resolve(s.IdleTimeout, DefaultIdleTimeout),
		)
		s.heads = http1.Limits{RequestLine: s.MaxRequestLine, Field: s.MaxField, Fields: s.MaxFields, Head: s.MaxHead}
		switch s.Name {
		case "":
			s.name = []byte("Server: Gatehouse\r\n")
		case "-":
		default:
			s.name = http1.AppendField(nil, "Server", s.Name)
		}
		s.emblem = &http.Server{
			Addr:     s.Addr,
			Handler:  s.handler(),
			ErrorLog: slog.NewLogLogger(s.log().Handler(), slog.LevelError),
		}
		s.clock = newClock()
		s.listeners = map[*net.Listener]struct{}{}
		s.conns = map[*conn]struct{}{}
		s.done = make(chan struct{})
		s.drained = make(chan struct{})
		s.woken = make(chan struct{}, 1)
	})
}

func (s *Server) handler() http.Handler {
	if s.Handler != nil {
		return s.Handler
	}
	return http.DefaultServeMux
}

func (s *Server) log() *slog.Logger {
	if s.ErrorLog != nil {
		return s.ErrorLog
	}
	return slog.Default()
}

// ListenAndServe listens on Addr and serves. It always returns an error:
// http.ErrServerClosed after Shutdown or Close.
func (s *Server) ListenAndServe() error {
	l, err := s.listen(":80")
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS listens on Addr and serves TLS, see ServeTLS.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	l, err := s.listen(":443")
	if err != nil {
		return err
	}
	return s.ServeTLS(l, certFile, keyFile)
}

func (s *Server) listen(usual string) (net.Listener, error) {
	s.prepare()
	if s.draining.Load() {
		return nil, http.ErrServerClosed
	}
	if s.Addr == "" {
		return Listen(usual, s.Backlog)
	}
	return Listen(s.Addr, s.Backlog)
}

// Serve accepts connections on l and answers their requests, each connection in
// a goroutine of its own. It may be called for several listeners at once. It
// blocks until Shutdown or Close, then returns http.ErrServerClosed, or until l
// fails for good, then returns that error. It closes l in any case.
//
// When Serve returns, requests may still be under way: wait for Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, nil) }

// ServeTLS does what Serve does over TLS. The files hold certificate and key in
// PEM; both may be "" if TLSConfig has certificates or a way to get them. Of the
// protocols in TLSConfig.NextProtos HTTP/2 is not offered, and a connection that
// agrees on one that is not HTTP/1 is closed after the handshake.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	config := &tls.Config{}
	if s.TLSConfig != nil {
		config = s.TLSConfig.Clone()
	}
	// In a copy, because Clone shares the array with the caller's configuration.
	config.NextProtos = slices.DeleteFunc(slices.Clone(config.NextProtos), func(p string) bool { return p == "h2" })
	if !slices.Contains(config.NextProtos, "http/1.1") {
		config.NextProtos = append(config.NextProtos, "http/1.1")
	}
	if certFile != "" || keyFile != "" {
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			l.Close()
			return err
		}
		config.Certificates = append([]tls.Certificate{cert}, config.Certificates...)
	}
	return s.serve(l, config)
}

func (s *Server) serve(l net.Listener, config *tls.Config) error {
	s.prepare()
	l = &onceCloser{Listener: l}
	defer l.Close()
	if !s.track(&l) {
		return http.ErrServerClosed
	}
	defer s.untrack(&l)
	base := context.Background()
	if s.BaseContext != nil {
		base = s.BaseContext(l)
		if base == nil {
			panic("gatehouse: BaseContext returned nil")
		}
	}
	var backoff time.Duration
	for {
		rwc, err := l.Accept()
		if err == nil {
			backoff = 0
			s.newConn(rwc, config, base)
			continue
		}
		if s.draining.Load() {
			return http.ErrServerClosed
		}
		if !passing(err) {
			return err
		}
		backoff = min(max(2*backoff, 5*time.Millisecond), time.Second)
		s.log().Error("accept failed, trying again", "listen", l.Addr().String(), "error", err, "pause", backoff)
		select {
		case <-time.After(backoff):
		case <-s.done:
			return http.ErrServerClosed
		}
	}
}

// passing reports whether an accept error says something about the moment
// rather than about the listener: no descriptor or memory left, or a client
// that went away before it was accepted.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	var temporary interface{ Temporary() bool } // what listeners of other packages say it with
	return errors.As(err, &temporary) && temporary.Temporary()
}

// track registers an open listener, if the server is not closed.
func (s *Server) track(l *net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l *net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// addConn registers c and sees to it that a sweeper runs. It returns false, and
// c must be closed, once the server is closed.
func (s *Server) addConn(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	if !s.sweeping {
		s.sweeping = true
		s.clock.wind() // nobody did while there was no connection
		s.sweepers.Add(1)
		go s.sweep()
	}
	c.word.Store(uint64(newStateWord(c.firstState(), s.clock.now())))
	s.conns[c] = struct{}{}
	return true
}

// removeConn forgets c: it is closed or somebody else's.
func (s *Server) removeConn(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.draining.Load() {
		s.finishDrain()
	}
}

// finishDrain lets waiting Shutdowns go. s.mu is held.
func (s *Server) finishDrain() {
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
	s.wake()
}

// wake makes the sweeper look at once.
func (s *Server) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Shutdown closes all listeners and idle connections, lets requests that are
// under way finish, and then returns nil. Their responses say "Connection:
// close". A request that had reached this machine on an idle connection is
// still answered. If ctx ends first, its error is returned and the rest goes on
// as before: call Close to end it. Hijacked connections are not waited for.
//
// Shutdown may be called again, also after Close, to go on waiting. A Server
// cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.prepare()
	err := s.drain()
	s.wake() // the sweeper cuts idle connections
	select {
	case <-s.drained:
		s.sweepers.Wait()
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes all listeners and connections at once, except hijacked ones.
// Handlers find the contexts of their requests cancelled and their connections
// broken; Close does not wait for them to return, Shutdown afterwards does.
func (s *Server) Close() error {
	s.prepare()
	err := s.drain()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.abort()
	}
	return err
}

// drain closes the listeners and starts draining.
func (s *Server) drain() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining.Swap(true) {
		close(s.done)
	}
	var failed error
	for l := range s.listeners {
		if err := (*l).Close(); err != nil && failed == nil {
			failed = err
		}
	}
	if len(s.conns) == 0 {
		s.finishDrain()
	}
	return failed
}

// onceCloser closes its listener once: Serve and Shutdown both do.
type onceCloser struct {
	net.Listener
	once sync.Once
	err  error
}

func (l *onceCloser) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}
