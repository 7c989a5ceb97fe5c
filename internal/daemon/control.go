package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// controls is how commands reach a daemon. Methods of nil do nothing: then none
// do.
type controls struct {
	book     *logbook.Book
	listener *net.UnixListener // nil if there is none
	engine   *gatehouse.Server
	served   sync.WaitGroup
}

// book is what the log has told lately, for commands and the manager page. nil
// where there is neither.
type book struct{ *logbook.Book }

func newBook(l *config.Loaded) book {
	if l.Config.Control == config.ControlOff && l.Config.Manager.Listen == "" {
		return book{}
	}
	return book{logbook.New()}
}

// writtenDown keeps what a handler of the log handles.
func (b book) writtenDown(h slog.Handler) slog.Handler {
	if b.Book == nil {
		return h
	}
	return b.Handler(h)
}

// newControls is nil if the configuration wants none.
func newControls(l *config.Loaded, b book) *controls {
	if l.Config.Control == config.ControlOff {
		return nil
	}
	return &controls{book: b.Book}
}

// listen makes the socket, and gives it to whom the process becomes. One that
// somebody has named must be there; without the usual one the server still does
// what it is for.
func (c *controls) listen(l *config.Loaded, who *account, log *slog.Logger) error {
	if c == nil {
		return nil
	}
	path := l.Config.Control
	listener, err := listenControl(path, who)
	switch {
	case err == nil:
		c.listener = listener
	case path != "":
		return &Error{
			Err:  fmt.Errorf("cannot listen for commands on %s: %w", path, cause(err)),
			Hint: l.Call("control") + " takes the path of a socket, or off",
		}
	default:
		log.Warn("no commands reach this server", "error", err)
	}
	return nil
}

// listenControl makes the socket at a path, "" for where commands look for one.
func listenControl(path string, who *account) (*net.UnixListener, error) {
	if path == "" {
		var err error
		if path, err = control.Place(who != nil); err != nil {
			return nil, err
		}
		// What cannot be removed belongs to somebody who can.
		_ = control.Tidy(filepath.Dir(path), unixsocket.RemoveStale)
	}
	l, err := unixsocket.Listen(path, control.Mode)
	if err != nil {
		return nil, err
	}
	if who != nil {
		// Not through a link that somebody may have put there meanwhile.
		if err := os.Lchown(path, int(who.id.UID), int(who.id.GID)); err != nil {
			_ = l.Close() // err is what to tell
			return nil, err
		}
	}
	return l, nil
}

// serve answers commands about s from now on.
func (c *controls) serve(d *daemon, s site) error {
	if c == nil || c.listener == nil {
		return nil
	}
	shown, ok := s.(inspected)
	if !ok {
		return fmt.Errorf("daemon: control: %T tells nothing of itself", s)
	}
	b := &backend{inspected: shown, daemon: d}
	// Our own engine: its limits and its time-outs against clients that stall hold
	// here as well, and there is one to be understood. No access log: what changes
	// something is in the log.
	c.engine = &gatehouse.Server{Handler: control.New(b, c.book, d.log), ErrorLog: d.log, Name: d.front.started.Config.Engine.ServerName}
	c.served.Go(func() {
		if err := c.engine.Serve(control.Guard(c.listener, d.log)); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("no commands are heard any more", "error", err)
		}
	})
	return nil
}

// end breaks off what commands are being answered, and waits for it.
func (c *controls) end() {
	if c == nil || c.engine == nil {
		return
	}
	c.book.Close()
	_ = c.engine.Close() // nothing is to be done about a socket that does not close
	ctx, cancel := context.WithTimeout(context.Background(), abortWait)
	defer cancel()
	_ = c.engine.Shutdown(ctx) // as for visitors
	c.served.Wait()
}

// close removes the socket.
func (c *controls) close() {
	if c != nil && c.listener != nil {
		_ = c.listener.Close() // mostly closed by the engine already
	}
}

// inspected is a site that tells of its applications.
type inspected interface {
	site
	Apps() []webapps.Status
	Problems() []webapps.Problem
	Requests(name webapps.ContextName, most int) ([]metrics.Request, error)
	Stacks(ctx context.Context, name webapps.ContextName) ([]pyapp.WorkerStacks, error)
	// logName is by what records of the log are known to be about an application.
	logName(name webapps.ContextName) string
	// manager changes single applications; nil if none can be.
	manager() control.Manager
	// place says in which folders it lies.
	place(s *control.Server)
}

// backend is a daemon and its site as the control socket has them.
type backend struct {
	inspected
	daemon *daemon
}

// Server implements control.Backend.
func (b *backend) Server() control.Server {
	d := b.daemon
	s := control.Server{
		Version: d.version, PID: os.Getpid(), User: strconv.Itoa(os.Geteuid()), Started: d.begun,
		File: d.front.started.File, Listen: d.front.urls(), Memory: residentMemory(),
	}
	if u, err := user.LookupId(s.User); err == nil {
		s.User = u.Username
	}
	b.place(&s)
	return s
}

// Manager implements control.Backend.
func (b *backend) Manager() control.Manager { return b.manager() }

// Reload implements control.Backend: what SIGHUP does.
func (b *backend) Reload(ctx context.Context) (restart []string, err error) {
	b.daemon.front.reopenLog()
	done, err := b.daemon.reload(ctx, b.inspected)
	if err == nil {
		err = keptError(done.kept)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		err = &control.Error{Code: control.Failure, Message: e.Error(), Hint: e.Hint, Traceback: e.Detail}
	}
	return done.restart, err
}

// keptError is why parts go on as they were while all else is new: who has asked
// should look.
func keptError(kept []error) error {
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	e := &control.Error{Code: control.Failure, Message: fmt.Sprintf("%s cannot be loaded and go on as they were; all else is new", count(len(kept), "part"))}
	for i, err := range kept {
		if i > 0 {
			e.Hint += "\n"
		}
		e.Hint += err.Error()
	}
	return e
}

// Link implements control.Backend.
func (b *backend) Link() (string, error) { return b.daemon.managed.link() }

// LogName implements control.Backend.
func (b *backend) LogName(name webapps.ContextName) string { return b.logName(name) }

// absolutePath is a path for who may be in another folder.
func absolutePath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

var (
	_ control.Backend = (*backend)(nil)
	_ inspected       = (*sites)(nil)
	_ inspected       = (*app)(nil)
)
