package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Serve serves the folder that cfg names, with its scripts and pages if they are to run, until a signal or ctx ends it. The
// error is an *Error if it did not come to serving.
func Serve(ctx context.Context, cfg *config.Config, streams Streams) error {
	l := &config.Loaded{Config: *cfg}
	l.Config.Control = config.ControlOff // a folder has nothing to be told of, and may be served by the dozen
	return run(ctx, l, streams, "", func(d *daemon) (opener, error) {
		d.groupless = true
		dir, err := findFolder(&cfg.Static)
		if err != nil {
			return nil, err
		}
		if cfg.CGI.On || cfg.Pages.On {
			d.who, d.caution, err = accountFor(scriptsRun, dir, cfg.User, os.Geteuid())
		} else {
			d.who, err = accountNamed(cfg.User, os.Geteuid())
		}
		if err != nil {
			return nil, err
		}
		return func() (site, error) { return openFolder(ctx, cfg, dir, d.log) }, nil
	})
}

// Run runs a Python application, until a signal or ctx ends it. The error is an
// *Error if it did not come to serving.
func Run(ctx context.Context, p Project, streams Streams) error {
	located, err := p.locate()
	if err != nil {
		return err
	}
	l, err := located.load()
	if err != nil {
		return err
	}
	dir := located.webapps(l)
	if err := manageable(l, dir); err != nil {
		return err
	}
	if dir != "" || len(l.Config.Sites) > 0 {
		return runSites(ctx, located, l, dir, streams, p.Version)
	}
	return run(ctx, l, streams, p.Version, func(d *daemon) (opener, error) {
		found, err := located.look(l)
		if err != nil {
			return nil, err
		}
		if d.who, d.caution, err = accountFor(applicationRuns, found.Dir, l.Config.User, os.Geteuid()); err != nil {
			return nil, err
		}
		return func() (site, error) {
			a := newApp(located, l, found, d.who, d.log)
			a.groups = d.groups
			return a, a.start(ctx)
		}, nil
	})
}

// site is what a daemon serves.
type site interface {
	handler() http.Handler
	// asksOrigin reports whether the handler reads what proxies tell.
	asksOrigin() bool
	// announce says what is served where, once connections are accepted.
	announce(s *screen, begun time.Time, addrs []address)
	// patience is how long requests may go on after a signal.
	patience(sig os.Signal) time.Duration
	// configuration reads the configuration as it is now; nil if there is none to
	// read again.
	configuration() (*config.Loaded, error)
	// reload takes in what has changed, of the configuration l and of what it is
	// about. An error means that nothing has changed. kept are the parts that stay
	// as they were, each with the reason, while all others have changed.
	reload(ctx context.Context, l *config.Loaded) (kept []error, err error)
	// fallback says what is served after a reload that failed.
	fallback() string
	// changed names source files that have changed, if they are watched: each
	// time calls for a reload.
	changed() <-chan string
	// risks are what strangers should not reach as it is now, a warning each.
	risks() []string
	// dump logs what application code is doing now. It does not take long.
	dump(ctx context.Context)
	// close ends the site. At the deadline of ctx what still works for requests ends
	// at once; when ctx is canceled, all that runs does.
	close(ctx context.Context) error
}

// opener does of opening a site what may take its time.
type opener func() (site, error)

// daemon is one server from start to end. It belongs to the goroutine of run, but
// for front, which reloads change.
type daemon struct {
	screen    *screen
	log       *slog.Logger
	front     *front
	signals   *signals
	begun     time.Time
	who       *account     // whom the process becomes; nil: it stays who it is
	keep      bool         // it goes on to be able to do things as others
	groups    *cgroup.Tree // below which applications are; nil if the server has none of its own
	caution   string       // about who it is; may be empty
	groupless bool         // nothing of it could be in a group of its own
	cut       bool         // requests were ended before they were done
	hurried   bool         // somebody has asked for the end a second time
	exposed   bool         // others than this machine can reach it
	version   string       // of the program
	control   *controls
	managed   *managed // the manager page; nil if there is none

	reloading sync.Mutex // one reload at a time
	warned    []string   // of risks; belongs to whoever reloads
}

// run is a daemon's life. find says what will be served, or at once why nothing
// can be.
func run(ctx context.Context, l *config.Loaded, streams Streams, version string, find func(*daemon) (opener, error)) error {
	d := &daemon{screen: newScreen(streams.Err), begun: time.Now(), version: version}
	book := newBook(l)
	d.control = newControls(l, book)
	d.front = newFront(l, streams, d.screen, book.writtenDown)
	d.log = d.front.log
	if err := d.front.trust.parse(l); err != nil {
		return err
	}
	var err error
	if d.managed, err = newManaged(l, book); err != nil {
		return err
	}
	open, err := find(d)
	if err != nil {
		return err
	}
	tuneMemory()
	d.signals = catch()
	defer d.signals.release()
	if isFirst() {
		var orphans sync.WaitGroup
		defer orphans.Wait()
		reaping, stop := context.WithCancel(context.Background())
		defer stop()
		orphans.Go(func() { reapOrphans(reaping, settle) })
	}
	// The port is taken before an application is imported: a port that is in use
	// is told at once, and clients wait in the queue while the import runs.
	if err := d.front.open(); err != nil {
		return err
	}
	defer d.front.close()
	if err := d.control.listen(l, d.who, d.log); err != nil {
		return err
	}
	defer d.control.close()
	if err := d.managed.listen(l); err != nil {
		return err
	}
	defer d.managed.close()
	d.takeGroups()
	defer func() { _ = d.groups.Close() }() // it only watches files
	if err := d.who.become(d.keep); err != nil {
		return &Error{Err: err}
	}

	s, err := d.open(ctx, open)
	if err != nil {
		return err
	}
	served := d.serve(ctx, s)
	ctx, cancel := d.closing()
	defer cancel()
	return errors.Join(served, s.close(ctx))
}

// errInterrupted ends a start that somebody did not wait for.
var errInterrupted = errors.New("interrupted before the start was complete")

// open opens the site, unless a signal comes first: an import may take as long
// as it likes, but not hold a terminal.
func (d *daemon) open(ctx context.Context, open opener) (site, error) {
	type result struct {
		site site
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		s, err := open()
		opened <- result{s, err}
	}()
	select {
	case r := <-opened:
		return r.site, r.err
	case <-d.signals.end:
	case <-ctx.Done():
	}
	// The process ends now, and with it whatever it has started: its children
	// see that their sockets close.
	return nil, &Error{Err: errInterrupted}
}

// serve accepts connections until something ends it, and waits until all that
// it has begun has ended.
func (d *daemon) serve(ctx context.Context, s site) error {
	addrs := d.front.serve(s)
	defer d.front.wait()
	if d.who != nil {
		d.screen.line("user", "%s", d.who.name)
	}
	if d.caution != "" {
		d.screen.line("warning", "%s", d.caution)
	}
	s.announce(d.screen, d.begun, addrs)
	d.reach(addrs)
	if err := d.managed.serve(d, s); err != nil {
		_ = d.front.cut() // as below
		return err
	}
	defer d.managed.end()
	d.warn(s)

	if err := d.control.serve(d, s); err != nil {
		_ = d.front.cut() // as below
		return err
	}
	defer d.control.end()
	reloads := newRepeater(func(ctx context.Context) { _, _ = d.reload(ctx, s) }) // it says itself how it went
	defer reloads.wait()
	dumps := newRepeater(s.dump)
	defer dumps.wait()
	for {
		select {
		case err := <-d.front.failed:
			_ = d.front.cut() // what the listener died of is the error to tell
			return err
		case <-ctx.Done():
			return d.end(s.patience(syscall.SIGTERM))
		case sig := <-d.signals.end:
			return d.end(s.patience(sig))
		case <-d.signals.reload:
			if d.signals.hungUp() {
				return d.end(s.patience(syscall.SIGHUP))
			}
			d.front.reopenLog()
			reloads.ask()
		case files := <-s.changed():
			d.screen.line("changed", "%s", files)
			reloads.ask()
		case <-d.signals.reopen:
			d.front.reopenLog()
		case <-d.signals.dump:
			dumps.ask()
		}
	}
}

// reach says who can read what is served: that others can is asked for, but
// should never come as a surprise; that they cannot surprises people as well.
func (d *daemon) reach(addrs []address) {
	for _, a := range addrs {
		if a.open {
			d.exposed = true
			for _, url := range a.lan {
				d.screen.line("", "%s", url)
			}
			d.screen.line("warning", "everybody on the network can reach this; --listen 127.0.0.1:8000 keeps it to this machine")
			return
		}
	}
	for _, a := range addrs {
		if a.port != 0 {
			d.screen.line("", "for this machine only; --listen :%d opens it to the network", a.port)
			return
		}
	}
}

// warn tells of what strangers can reach and should not, where they can reach
// anything: each risk when it comes up.
func (d *daemon) warn(s site) {
	if !d.exposed {
		return
	}
	risks := s.risks()
	for _, r := range risks {
		if !slices.Contains(d.warned, r) {
			d.screen.line("warning", "%s", r)
		}
	}
	d.warned = risks
}

// closeWait is how long a site may take to end that nobody asks for anything any
// more. What runs beside applications may use its grace, and the rest is not ended
// before that: what such a process does last may need it.
const closeWait = webapps.DefaultProcessGrace + 5*time.Second

// abortWait is how long handlers may take to notice that their connections are
// gone. What they then say about them still goes into the log and the summary.
const abortWait = time.Second

// end lets requests finish for as long as patience lasts or until a second
// signal, then ends them, and says what has been done.
func (d *daemon) end(patience time.Duration) error {
	if patience > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			select {
			case <-d.signals.end:
				d.hurried = true
				cancel()
			case <-stop:
			}
		})
		d.cut = d.front.drain(ctx) != nil // what did not finish is ended by Close
		close(stop)
		wg.Wait()
		cancel()
	}
	err := d.front.cut()
	d.signals.giveUp() // from here on a further signal has its usual effect
	ctx, cancel := context.WithTimeout(context.Background(), abortWait)
	defer cancel()
	_ = d.front.drain(ctx) // a handler that does not notice is not waited for
	d.front.logs.close()   // their last lines belong before the summary
	d.summary()
	return err
}

// closing is for the site's close. Requests that have outlasted their patience have
// no more time, while what runs beside applications has not been told to end yet.
func (d *daemon) closing() (context.Context, context.CancelFunc) {
	wait := closeWait
	if d.cut && !d.hurried {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	if d.hurried {
		cancel()
	}
	return ctx, cancel
}

// summary is the last line.
func (d *daemon) summary() {
	d.screen.overwrite()
	ran := seconds(time.Since(d.begun))
	all, logged := d.front.logs.totals()
	if !logged {
		d.screen.line("stopped", "after %s", ran)
		return
	}
	d.screen.line("stopped", "after %s, %s, %s sent", ran, count(int(all.requests), "request"), amount(all.bytes))
}
