package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/forwarded"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/owncookies"
)

// front is what faces the clients: listeners, the engine, and the middleware in
// front of the site. A reload can change all of it without breaking a connection
// off. Its methods are safe for concurrent use.
type front struct {
	log    *slog.Logger
	relay  *relay
	screen *screen
	out    io.Writer // standard output
	errOut io.Writer // standard error
	failed chan error
	wg     sync.WaitGroup

	handler atomic.Pointer[http.Handler] // the middleware with the site behind
	logs    *accessLogs

	mu      sync.Mutex // guards what follows
	loaded  *config.Loaded
	started *config.Loaded // the configuration of the start
	trust   trust
	doors   []*door
	engine  *gatehouse.Server
	retired []*gatehouse.Server // serve connections from before a reload
	ended   bool                // no reload any more
}

// trust is whom the configuration trusts about visitors.
type trust struct{ forwarded.Trust }

// parse reads it.
func (t *trust) parse(l *config.Loaded) (err error) {
	const setting = "trusted-proxy"
	if t.Trust, err = forwarded.ParseTrust(l.Config.TrustedProxies); err != nil {
		o, _ := l.Origin(setting)
		return &Error{Err: fmt.Errorf("%s: %w", l.Call(setting), err), Usage: o.File == ""}
	}
	return nil
}

// door is a listener that outlives the engines that it gives connections to.
type door struct {
	addr     string
	listener net.Listener
	lease    *lease        // of the engine that accepts now
	done     chan struct{} // closed when that engine has stopped accepting
}

// newFront is a front that has opened nothing yet. writtenDown is put before its log.
func newFront(l *config.Loaded, streams Streams, s *screen, writtenDown func(slog.Handler) slog.Handler) *front {
	f := &front{
		relay: newRelay(logHandler(&l.Config, streams.Err)), screen: s, out: streams.Out, errOut: streams.Err,
		failed: make(chan error, 1), loaded: l, started: l,
	}
	f.log = slog.New(writtenDown(f.relay))
	f.logs = newAccessLogs(f.log)
	s.logTo(f.machineLog(&l.Config))
	return f
}

// machineLog is where the screen's lines go in a log that machines read.
func (f *front) machineLog(c *config.Config) *slog.Logger {
	if c.Log.Format == "json" {
		return f.log
	}
	return nil
}

// open opens logs and listeners.
func (f *front) open() error {
	access, err := openAccessLog(f.loaded, f.out, f.log)
	if err != nil {
		return err
	}
	f.logs.use(access)
	c := &f.loaded.Config
	listeners, err := listen(c.Listen, c.Backlog)
	if err != nil {
		f.logs.close()
		return err
	}
	for i, l := range listeners {
		f.doors = append(f.doors, &door{addr: c.Listen[i], listener: l})
	}
	return nil
}

// serve begins to accept connections for s. It returns where people reach it.
func (f *front) serve(s site) []address {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exchangeHandler(s)
	f.exchangeEngine()
	return f.addresses()
}

func (f *front) addresses() []address {
	var all []address
	for _, d := range f.doors {
		all = append(all, describe(d.listener))
	}
	return all
}

// urls are where people reach the site now.
func (f *front) urls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []string{}
	for _, a := range f.addresses() {
		all = append(all, a.url)
	}
	return all
}

// exchangeHandler builds the middleware anew. f.mu is held.
func (f *front) exchangeHandler(s site) {
	c := f.loaded.Config
	c.App.Reload = f.started.Config.App.Reload // it needs a restart
	log := f.logs.current.Load()
	if log == nil {
		h := chain(&c, s, nil, f.trust.Trust)
		f.handler.Store(&h)
		return
	}
	h := chain(&c, s, log.Log, f.trust.Trust)
	if _, forEver := s.(*folder); !forEver { // no reload gives that another log
		h = &counted{log, h, &f.handler}
	}
	f.handler.Store(&h)
}

// chain puts the middleware before the site: only what is needed, because files
// are served faster than middleware runs.
func chain(cfg *config.Config, s site, access *accesslog.Log, trust forwarded.Trust) http.Handler {
	h := s.handler()
	_, several := s.(*sites)
	if len(cfg.Headers) > 0 && !several { // each of them has put its own on top
		h = &routeHandler{h, &dress{rules: cfg.Headers}}
	}
	if !several && s.asksOrigin() { // each of them sees to it, and files have no use for cookies
		h = stripped{h}
	}
	if access != nil {
		h = access.Middleware(h)
	}
	logged := access != nil && len(cfg.TrustedProxies) > 0
	if !logged && !s.asksOrigin() {
		return h
	}
	h = trust.Middleware(h)
	if cfg.App.Reload {
		h = knowDevelopers(h)
	}
	return h
}

// stripped is a handler that gets no cookies of a server's own: another one on this
// machine may have a manager page.
type stripped struct{ next http.Handler }

// ServeHTTP implements http.Handler.
func (h stripped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.next.ServeHTTP(w, owncookies.Strip(r))
}

// exchangeEngine gives all doors to a new engine. The one before goes on with the
// connections that it has, and ends each with its next answer. f.mu is held.
func (f *front) exchangeEngine() {
	old := f.engine
	e := &entrance{handler: &f.handler}
	f.engine = newEngine(&f.loaded.Config, e, f.log, f.logs.add)
	for _, d := range f.doors {
		d.stop()
		f.accept(d)
	}
	if old == nil {
		return
	}
	old.Handler.(*entrance).leaving.Store(true)
	f.retired = append(f.retired, old)
}

// accept has the engine accept a door's connections. f.mu is held.
func (f *front) accept(d *door) {
	d.lease, d.done = &lease{Listener: d.listener}, make(chan struct{})
	engine, lease, done := f.engine, d.lease, d.done
	f.wg.Go(func() {
		defer close(done)
		err := engine.Serve(lease)
		if errors.Is(err, http.ErrServerClosed) || lease.over.Load() {
			return
		}
		select {
		case f.failed <- fmt.Errorf("daemon: serve %s: %w", d.listener.Addr(), err):
		default: // one is enough to end
		}
	})
}

// stop ends the present engine's accepting. Every connection that it has accepted
// is being served when stop returns.
func (d *door) stop() {
	if d.lease != nil {
		_ = d.lease.Close()
		<-d.done
		d.lease = nil
		_ = d.listener.(deadliner).SetDeadline(time.Time{})
	}
}

// deadliner is a listener whose Accept can be broken off.
type deadliner interface{ SetDeadline(t time.Time) error }

// lease is a listener that can be given to another engine: Close only ends its
// Accept.
type lease struct {
	net.Listener
	over atomic.Bool
}

// Accept implements net.Listener.
func (l *lease) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil && l.over.Load() {
		return nil, net.ErrClosed
	}
	return c, err
}

// Close implements net.Listener.
func (l *lease) Close() error {
	l.over.Store(true)
	return l.Listener.(deadliner).SetDeadline(time.Unix(1, 0))
}

// entrance is where an engine's requests come in.
type entrance struct {
	handler *atomic.Pointer[http.Handler]
	leaving atomic.Bool // another engine has taken its place
}

// ServeHTTP implements http.Handler.
func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.leaving.Load() {
		w.Header().Set("Connection", "close") // the next one comes to the new engine
	}
	(*e.handler.Load()).ServeHTTP(w, r)
}

// nextFront is what a configuration changes, ready to be taken in.
type nextFront struct {
	f      *front
	loaded *config.Loaded
	trust  trust
	access *accesslog.Log // if opened
	relog  bool           // the access log is another one
	doors  []*door        // all that there will be
	opened []*door        // those that are new
}

// prepare opens what the configuration asks for and is not there yet. Exactly one
// of discard and commit must follow.
func (f *front) prepare(l *config.Loaded) (*nextFront, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := &nextFront{f: f, loaded: l}
	if err := n.trust.parse(l); err != nil {
		return nil, err
	}
	for _, addr := range l.Config.Listen {
		i := slices.IndexFunc(f.doors, func(d *door) bool { return d.addr == addr })
		if i >= 0 && !slices.Contains(n.doors, f.doors[i]) {
			n.doors = append(n.doors, f.doors[i])
			continue
		}
		listeners, err := listen([]string{addr}, l.Config.Backlog)
		if err != nil {
			n.discard()
			return nil, f.inTheWay(addr, err)
		}
		d := &door{addr: addr, listener: listeners[0]}
		n.doors, n.opened = append(n.doors, d), append(n.opened, d)
	}
	if n.relog = l.Config.Log != f.loaded.Config.Log; n.relog {
		var err error
		if n.access, err = openAccessLog(l, f.out, f.log); err != nil {
			n.discard()
			return nil, err
		}
	}
	return n, nil
}

// inTheWay is err, why addr cannot be listened on, with the door that is in the way
// if it is one of our own: :8080 and 127.0.0.1:8080 are the same port. f.mu is held.
func (f *front) inTheWay(addr string, err error) error {
	_, port, bad := net.SplitHostPort(addr)
	if bad != nil || !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	for _, d := range f.doors {
		if _, own, bad := net.SplitHostPort(d.addr); bad == nil && own == port {
			return &Error{Err: fmt.Errorf("%w: this server itself listens on %s; to change that takes a restart", err, d.addr)}
		}
	}
	return err
}

// discard closes what was opened.
func (n *nextFront) discard() {
	for _, d := range n.opened {
		d.listener.Close()
	}
	if n.access != nil {
		_ = n.access.Close() // nothing was written
	}
}

// commit takes it in, for the site s. It returns where people can reach s that
// could not before, and the keys of what needs a restart.
func (n *nextFront) commit(s site) (opened []address, restart []string) {
	f := n.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		n.discard()
		return nil, nil
	}
	before := f.loaded
	f.loaded, f.trust = n.loaded, n.trust
	if n.relog {
		retire := f.logs.use(n.access)
		defer retire() // when the handler is exchanged
		h := logHandler(&n.loaded.Config, f.errOut)
		f.relay.to.Store(&h)
		f.screen.logTo(f.machineLog(&n.loaded.Config))
	}
	f.exchangeHandler(s)
	for _, d := range f.doors {
		if !slices.Contains(n.doors, d) {
			d.stop()
			d.listener.Close()
		}
	}
	f.doors = n.doors
	if !reflect.DeepEqual(before.Config.Engine, n.loaded.Config.Engine) {
		f.exchangeEngine()
	} else {
		for _, d := range n.opened {
			f.accept(d)
		}
	}
	for _, d := range n.opened {
		opened = append(opened, describe(d.listener))
	}
	return opened, config.Changed(&f.started.Config, &n.loaded.Config, func(s *config.Setting) bool { return !s.Reloads() })
}

// engines are all that have connections. f.mu is held.
func (f *front) engines() []*gatehouse.Server {
	if f.engine == nil {
		return nil
	}
	return append(slices.Clone(f.retired), f.engine)
}

// stopAccepting ends all accepting, for good. It returns the engines.
func (f *front) stopAccepting() []*gatehouse.Server {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for _, d := range f.doors {
		d.stop()
		d.listener.Close()
	}
	f.doors = nil
	return f.engines()
}

// drain accepts nobody any more and waits until all requests are done; the error
// is that of ctx if it ends before.
func (f *front) drain(ctx context.Context) error {
	var errs []error
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, e := range f.stopAccepting() {
		wg.Go(func() {
			if err := e.Shutdown(ctx); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// cut ends all connections at once.
func (f *front) cut() error {
	var errs []error
	for _, e := range f.stopAccepting() {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

// wait waits until nothing accepts any more.
func (f *front) wait() { f.wg.Wait() }

// close closes what is still open.
func (f *front) close() {
	f.stopAccepting()
	f.logs.close()
}

// reopenLog is for log rotation: it goes on in a new file of the same name.
func (f *front) reopenLog() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded.Config.Log.Access == "-" {
		return
	}
	switch logged, err := f.logs.reopen(); {
	case err != nil:
		f.log.Error("access log goes on in the old file", "err", err)
	case logged:
		f.log.Info("access log goes on in a new file", "path", f.loaded.Config.Log.Access)
	}
}

var (
	_ net.Listener = (*lease)(nil)
	_ http.Handler = (*entrance)(nil)
)
