package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/manager"
)

// managed is a daemon's manager page: with a listener and an engine of its own, so
// that no visitor reaches it. Methods of nil do nothing: then there is none.
type managed struct {
	cfg      *config.Manager
	book     book
	listener net.Listener

	page   *manager.Manager
	engine *gatehouse.Server
	served sync.WaitGroup
}

// newManaged prepares the page that l asks for.
func newManaged(l *config.Loaded, b book) (*managed, error) {
	cfg := &l.Config.Manager
	if cfg.Listen == "" {
		for _, name := range []string{"manager-link", "manager-password"} {
			if _, set := l.Origin(name); set {
				return nil, &Error{Err: fmt.Errorf("%s is of no use without a manager page", l.Call(name)), Hint: "--manager 127.0.0.1:8001, or listen in [manager], shows one"}
			}
		}
		return nil, nil
	}
	if cfg.Password != "" {
		if err := manager.ParseHash(cfg.Password); err != nil {
			return nil, &Error{Err: fmt.Errorf("%s: %w", l.Call("manager-password"), err)}
		}
	}
	return &managed{cfg: cfg, book: b}, nil
}

// manageable refuses a manager page where there is one application alone: nothing
// can be done to that by itself.
func manageable(l *config.Loaded, webapps string) error {
	if webapps != "" || len(l.Config.Sites) > 0 || l.Config.Manager.Listen == "" {
		return nil
	}
	return &Error{
		Err:  fmt.Errorf("%s: the manager page looks after several applications, and this is one alone", l.Call("manager")),
		Hint: "put the application into webapps/NAME; gatehouse status, stacks, logs and top tell of one without a page",
	}
}

// listen takes the page's port. Only this machine may reach it: whoever gets in
// may run code, and the password would be read on the way.
func (m *managed) listen(l *config.Loaded) error {
	if m == nil {
		return nil
	}
	ln, err := gatehouse.Listen(m.cfg.Listen, 0)
	if err != nil {
		return listenError(m.cfg.Listen, err)
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = ln.Close() // nobody has connected
		return &Error{
			Err:  fmt.Errorf("%s: the manager page cannot be on %s, which others than this machine can reach", l.Call("manager"), m.cfg.Listen),
			Hint: "127.0.0.1:8001 is for this machine; from elsewhere, ssh -L 8001:127.0.0.1:8001 HOST leads there",
		}
	}
	m.listener = ln
	return nil
}

// close gives the port back, if nobody else has.
func (m *managed) close() {
	if m != nil && m.listener != nil {
		_ = m.listener.Close() // mostly closed by the engine already
	}
}

// serve begins to serve the page of s, and says where it is.
func (m *managed) serve(d *daemon, s site) error {
	if m == nil {
		return nil
	}
	apps, ok := s.(*sites)
	if !ok {
		return fmt.Errorf("daemon: a manager page for %T", s)
	}
	page, err := manager.New(manager.Config{
		Apps: apps, Addr: m.listener.Addr().(*net.TCPAddr).AddrPort(), Password: m.cfg.Password, Book: m.book.Book, LogName: apps.logName, Log: d.log,
	})
	if err != nil {
		return err
	}
	m.page = page
	// No access log: the address of a link is a secret.
	m.engine = newEngine(&d.front.started.Config, page, d.log, nil)
	m.served.Go(func() {
		if err := m.engine.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("the manager page is not served any more", "error", err)
		}
	})
	m.announce(d)
	return nil
}

// link is a link that lets in.
func (m *managed) link() (string, error) {
	if m == nil {
		return "", &control.Error{
			Code: control.Failure, Message: "this server shows no manager page",
			Hint: "gatehouse run --manager 127.0.0.1:8001, or listen in [manager] in gatehouse.toml, shows one",
		}
	}
	return m.page.Link()
}

// announce says where the page is. A link goes to a terminal, which shows it to
// the operator and forgets it, and elsewhere only if somebody has said so.
func (m *managed) announce(d *daemon) {
	d.screen.line("manager", "%s", m.page.URL())
	switch {
	case m.cfg.Link || d.screen.onTerm:
		if link, err := m.page.Link(); err == nil { // else it has ended already
			d.screen.secret("", link+"  lets in once, within ten minutes")
		}
	case m.cfg.Password == "" && d.control == nil:
		d.screen.line("warning", "nobody can log in to the manager: --manager-link prints a link on start, gatehouse manager password makes a password")
	case m.cfg.Password == "":
		d.screen.line("", "gatehouse manager link prints a link that lets in")
	}
}

// end ends the page and all that somebody is doing there.
func (m *managed) end() {
	if m == nil || m.page == nil {
		return
	}
	// Streams end first: they have no end of their own that could be waited for.
	_ = m.page.Close() // it has nothing to tell
	ctx, cancel := context.WithTimeout(context.Background(), abortWait)
	defer cancel()
	_ = m.engine.Shutdown(ctx) // what did not finish is ended by Close
	_ = m.engine.Close()       // the listener is gone either way
	m.served.Wait()
}
