package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/bell"
	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// sites is what a configuration with [[sites]] or a folder of applications serves:
// several sites, of which the folder is one, and the applications that routes of
// the others lead to.
type sites struct {
	project *project
	folder  *appFolder // nil if there is none
	who     *account
	groups  *cgroup.Tree
	byRoot  bool // started by root, and nobody named to run as: see foreign
	log     *slog.Logger
	pools   func(context.Context, pyapp.Config) (pool, error)

	loaded  atomic.Pointer[config.Loaded] // what is served now
	current atomic.Pointer[tree]

	turn chan struct{} // holds a token while somebody changes it, or one application
	bell bell.Bell     // rung when something has changed that Apps tells

	loading   context.Context // ends when no application may be started any more
	stopLoads context.CancelFunc

	ended  <-chan struct{} // closed when the tree before the present one has ended; belongs to who reloads
	drains sync.WaitGroup  // trees that were replaced
	ctx    context.Context // ends when they are to end at once
	cancel context.CancelFunc
}

// runSites is Run where the configuration has sites, or there is a folder of
// applications.
func runSites(ctx context.Context, p *project, l *config.Loaded, folder string, streams Streams, version string) error {
	return run(ctx, l, streams, version, func(d *daemon) (opener, error) {
		folder, err := severalOnly(p, l, folder)
		if err != nil {
			return nil, err
		}
		who, caution, err := sitesAccount(p, l, folder, os.Geteuid())
		if err != nil {
			return nil, err
		}
		d.who, d.caution = who, caution
		byRoot := os.Geteuid() == 0 && l.Config.User == ""
		var t *tenants
		if folder != "" {
			if t, err = newTenants(who, l, os.Geteuid()); err != nil {
				return nil, err
			}
			d.keep = t.keeps()
		}
		return func() (site, error) {
			s := newSites(p, d.who, d.log)
			s.byRoot, s.groups = byRoot, d.groups
			if t != nil {
				s.folder = newAppFolder(folder, l, t, d.log)
				s.folder.groups = d.groups
			}
			return s, s.start(ctx, l)
		}, nil
	})
}

// severalOnly refuses what goes together with one application only. It returns the
// absolute path of the folder of applications, "" if there is none.
func severalOnly(p *project, l *config.Loaded, folder string) (string, error) {
	if len(l.Config.Sites) > 0 {
		if err := sitesOnly(p, l); err != nil {
			return "", err
		}
	}
	if folder == "" {
		return "", nil
	}
	if err := together(l); err != nil {
		return "", err
	}
	return absoluteFolder(folder)
}

// sitesOnly refuses what sites have no place for.
func sitesOnly(p *project, l *config.Loaded) error {
	switch {
	case p.callable != "":
		return &Error{
			Err:  fmt.Errorf("cannot run %s: %s has [[sites]]", p.callable, l.File),
			Hint: "name the application there, in a table [apps.NAME], or another file with --config",
		}
	case l.Config.App.Reload:
		return &Error{
			Err:  fmt.Errorf("%s: development is for one application, and %s has [[sites]]", l.Call("reload"), l.File),
			Hint: "gatehouse run --reload in the folder of the application serves it alone; SIGHUP reloads all",
		}
	}
	return nil
}

func newSites(p *project, who *account, log *slog.Logger) *sites {
	s := &sites{
		project: p, who: who, log: log, turn: make(chan struct{}, 1),
		pools: func(ctx context.Context, c pyapp.Config) (pool, error) { return pyapp.OpenContext(ctx, c) },
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.loading, s.stopLoads = context.WithCancel(s.ctx)
	return s
}

// start opens all of it. The process is s.who's already.
func (s *sites) start(ctx context.Context, l *config.Loaded) error {
	next, _, err := s.prepare(ctx, l)
	if err != nil {
		return err
	}
	// Nothing in the folder is deployed for a server that does not come to serving.
	if s.folder != nil {
		if err := s.folder.open(); err != nil {
			next.drop()
			_ = next.tree.close() // err is what to tell
			return err
		}
	}
	if err := s.take(next, l); err != nil || s.folder == nil {
		return err
	}
	s.folder.wait(ctx)
	rung, stop := s.folder.Subscribe()
	s.drains.Go(func() {
		defer stop()
		for {
			select {
			case <-rung:
				s.bell.Ring()
			case <-s.loading.Done():
				return
			}
		}
	})
	return nil
}

// enter takes the turn of changing what is served, which leave gives back.
func (s *sites) enter(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		if s.loading.Err() == nil {
			return nil
		}
		s.leave()
		return webapps.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-s.loading.Done():
		return webapps.ErrClosed
	}
}

func (s *sites) leave() { <-s.turn }

// configuration implements site.
func (s *sites) configuration() (*config.Loaded, error) {
	l, err := s.project.load()
	if err != nil {
		return nil, err
	}
	folder := s.project.webapps(l)
	switch {
	case s.folder == nil && len(l.Config.Sites) == 0:
		return nil, &Error{Err: errors.New("the configuration has no [[sites]] any more; what is served then needs a restart")}
	case s.folder != nil && len(l.Config.Sites) > 0 && folder == "":
		return nil, &Error{
			Err:  errors.New("the configuration has [[sites]] and does not name the folder of applications; to go on without needs a restart"),
			Hint: "[webapps] with dir = \"webapps\" keeps the folder beside the sites",
		}
	case s.folder != nil:
		if err := s.folder.clash(l); err != nil {
			return nil, err
		}
		if err := s.folder.tenants.check(l); err != nil {
			return nil, err
		}
		folder = s.folder.dir // another one needs a restart
	}
	if s.byRoot {
		if err := foreignAll(s.project, l, folder, uint32(os.Geteuid())); err != nil {
			return nil, err
		}
	}
	_, err = severalOnly(s.project, l, folder)
	return l, err
}

// reload implements site. What the file says is taken in as a whole or not at all;
// then each application that goes on loads its code again, and one whose code is
// broken keeps the old.
func (s *sites) reload(ctx context.Context, l *config.Loaded) (kept []error, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	next, stays, err := s.prepare(ctx, l)
	if err != nil {
		return nil, err
	}
	if err := s.take(next, l); err != nil {
		return nil, err
	}
	errs := make([]error, len(stays))
	var wg sync.WaitGroup
	for i, n := range stays {
		wg.Go(func() {
			errs[i] = n.app.renew(ctx)
		})
	}
	if s.folder != nil {
		wg.Go(func() { kept = s.folder.reload(ctx, l) })
	}
	wg.Wait()
	return append(slices.DeleteFunc(errs, func(err error) bool { return err == nil }), kept...), nil
}

// fallback implements site.
func (s *sites) fallback() string { return "all goes on as it was" }

// handler implements site.
func (s *sites) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := s.current.Load()
		for !t.Enter() {
			t = s.current.Load()
		}
		defer t.Exit()
		t.ServeHTTP(w, r)
	})
}

// asksOrigin implements site.
func (s *sites) asksOrigin() bool { return true }

// patience implements site.
func (s *sites) patience(sig os.Signal) time.Duration {
	return patienceOf(&s.loaded.Load().Config, sig)
}

// announce implements site: a line for each application and each site.
func (s *sites) announce(screen *screen, begun time.Time, addrs []address) {
	l, t := s.loaded.Load(), s.current.Load()
	for _, c := range l.Config.Routed() {
		a := t.apps[c.Name]
		info := a.pool().Info()
		screen.line("app", "%s: %s, %s × %s, %s %s %s", c.Name, a.found.Framework, fmt.Sprint(info.Workers), a.found.App, pythonName(info.Implementation), info.Python, place(a.found))
	}
	for i := range l.Config.Sites {
		c := &l.Config.Sites[i]
		text := hostsOf(c) + " → "
		switch {
		case c.Root == "":
			text += count(len(c.Routes), "route")
		case len(c.Routes) == 0:
			text += c.Root
		default:
			text += c.Root + ", " + count(len(c.Routes), "route")
		}
		screen.line("site", "%s", text)
	}
	if s.folder != nil {
		s.folder.announce(screen)
	}
	for i, addr := range addrs {
		if i == 0 {
			screen.line("ready", "%-28s %s", addr.url, "in "+seconds(time.Since(begun)))
		} else {
			screen.line("", "%s", addr.url)
		}
	}
}

// hostsOf is what a site is called.
func hostsOf(c *config.Site) string {
	if len(c.Hosts) == 0 {
		return "every host"
	}
	return strings.Join(c.Hosts, ", ")
}

// changed implements site.
func (s *sites) changed() <-chan string { return nil }

// risks implements site.
func (s *sites) risks() []string {
	var all []string
	t := s.current.Load()
	for _, c := range s.loaded.Load().Config.Routed() {
		for _, risk := range t.apps[c.Name].risks() {
			all = append(all, c.Name+": "+risk)
		}
	}
	if s.folder != nil {
		all = append(all, s.folder.risks()...)
	}
	return all
}

// dump implements site.
func (s *sites) dump(ctx context.Context) {
	t := s.current.Load()
	for _, a := range t.apps {
		a.dump(ctx)
	}
	for _, h := range t.pages {
		dumpPages(ctx, h, s.log)
	}
	if s.folder != nil {
		s.folder.dump(ctx)
	}
}

// close implements site.
func (s *sites) close(ctx context.Context) error {
	defer s.cancel()
	stop := context.AfterFunc(ctx, s.cancel)
	defer stop()
	s.stopLoads()
	s.turn <- struct{}{} // for good: whoever had it is done
	var wg sync.WaitGroup
	if t := s.current.Load(); t != nil {
		wg.Go(func() { s.endTree(ctx, t, nil) })
	}
	var err error
	if s.folder != nil {
		wg.Go(func() { err = s.folder.Close(ctx) })
	}
	wg.Wait()
	s.drains.Wait()
	return err
}

var _ site = (*sites)(nil)
