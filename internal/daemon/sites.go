package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/bell"
	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
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

// sitesAccount is whom the process becomes: applications and scripts must not gain
// rights by being served.
func sitesAccount(p *project, l *config.Loaded, folder string, euid int) (who *account, caution string, err error) {
	c := &l.Config
	code := codeFolders(c)
	switch {
	case folder != "":
		who, err = accountForAll(folder, c.User, euid)
	case len(code) > 0:
		who, caution, err = accountFor(applicationRuns, filepath.Dir(l.File), c.User, euid)
	default:
		who, err = accountNamed(c.User, euid)
	}
	if err != nil {
		return nil, "", err
	}
	if c.User != "" || euid != 0 {
		return who, caution, nil
	}
	uid := uint32(0)
	if who != nil {
		uid = who.id.UID
	}
	return who, caution, foreignAll(p, l, folder, uid)
}

// foreignAll refuses what somebody else has a say in than uid, whom all of it runs
// as, or root.
func foreignAll(p *project, l *config.Loaded, folder string, uid uint32) error {
	if err := foreign(l, codeFolders(&l.Config), uid, owner); err != nil || folder == "" {
		return err
	}
	return foreignFile(l, p.source.Path == "", uid, owner)
}

// foreignFile refuses a configuration that was found, not named, and that somebody
// else has written than whom the applications in a folder run as, or root: it says
// what they run with, and the folder may be one that a link leads to.
func foreignFile(l *config.Loaded, found bool, uid uint32, ownerOf func(file string) (uint32, bool)) error {
	own, ok := ownerOf(l.File)
	if l.File == "" || !found || !ok || own == uid || own == 0 {
		return nil
	}
	return &Error{
		Err:  fmt.Errorf("%s belongs to another user (%d) than the applications in the folder run as (%d)", l.File, own, uid),
		Hint: "give the file to root, or name it with --config",
	}
}

// codeFolders are the folders that applications and scripts lie in, by the names
// of what says so.
func codeFolders(c *config.Config) map[string]string {
	all := map[string]string{}
	for _, app := range c.Routed() {
		all["apps."+app.Name+".dir"] = app.Dir
	}
	for i := range c.Sites {
		for j, r := range c.Sites[i].Routes {
			if r.Kind == config.KindCGI || r.Kind == config.KindPages {
				all[config.RouteName(i, j)+"."+string(r.Kind)] = r.Folder
			}
		}
	}
	return all
}

// foreign refuses code that belongs to somebody else than whom it would run as,
// or root: its owner would get the rights of another.
func foreign(l *config.Loaded, code map[string]string, uid uint32, ownerOf func(dir string) (uint32, bool)) error {
	var failed []config.Problem
	for _, name := range slices.Sorted(maps.Keys(code)) {
		if own, ok := ownerOf(code[name]); ok && own != uid && own != 0 {
			failed = append(failed, l.At(name, fmt.Sprintf("%s belongs to another user (%d) than all would run as (%d)", code[name], own, uid)))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &Error{
		Err:  &config.FileError{Problems: failed},
		Hint: "say user = \"NAME\" for whom all of it is to run as, or give the folders to one owner",
	}
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

// hosted is a running application, or one that is to run, with what is new of it.
type hosted struct {
	app    *app
	loaded *config.Loaded
	found  *detect.Result
	config pyapp.Config
	pool   pool // that is to take over; nil if the present one stays
}

// plan is a configuration that is ready to be served.
type plan struct {
	apps map[string]*hosted
	tree *tree
}

// prepare looks at all that l needs, and starts what does not run yet. stays are
// the applications of which nothing but perhaps the code has changed. If there is
// an error, nothing of it is left.
func (s *sites) prepare(ctx context.Context, l *config.Loaded) (next *plan, stays []*hosted, err error) {
	if err := l.Verify(); err != nil {
		return nil, nil, &Error{Err: err}
	}
	next = &plan{apps: map[string]*hosted{}}
	defer func() {
		if err != nil {
			next.drop()
		}
	}()
	for _, app := range l.Config.Routed() {
		n, err := s.named(l, &app)
		if err != nil {
			return next, nil, err
		}
		next.apps[app.Name] = n
	}
	var fresh []*hosted
	for _, n := range next.apps {
		switch {
		case n.app.halted.Load() != nil: // what is new of it is for when it is started again
		case n.app.pool() != nil && alike(n.config, n.app.config):
			stays = append(stays, n)
		default:
			fresh = append(fresh, n)
		}
	}
	// Imports take their time, and do so side by side.
	errs := make([]error, len(fresh))
	var wg sync.WaitGroup
	for i, n := range fresh {
		wg.Go(func() { n.pool, errs[i] = s.pools(ctx, n.config) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			fresh[i].pool = nil
			return next, nil, appError(err)
		}
	}
	apps := map[string]*app{}
	for name, n := range next.apps {
		apps[name] = n.app
	}
	next.tree, err = s.open(ctx, l, apps)
	return next, stays, err
}

// named finds out what an application is and how it is to run.
func (s *sites) named(l *config.Loaded, c *config.NamedApp) (*hosted, error) {
	one := l.Application(c)
	p := &project{dir: c.Dir}
	found, err := p.look(one)
	if err != nil {
		return nil, err
	}
	found.Name = c.Name
	pc, err := poolConfig(one, found, s.who, s.log)
	if err != nil {
		return nil, err
	}
	pc.Mount, pc.Confinement.Groups = mountOf(c), s.groups
	n := &hosted{loaded: one, found: found, config: pc}
	if t := s.current.Load(); t != nil {
		n.app = t.apps[c.Name]
	}
	if n.app == nil {
		n.app = newApp(p, one, found, s.who, s.log.With("app", c.Name))
		n.app.tell = s.bell.Ring
		n.app.groups = s.groups
	}
	return n, nil
}

// drop ends what was started for nothing.
func (p *plan) drop() {
	for _, n := range p.apps {
		if n.pool != nil {
			_ = n.pool.Close() // why it is not needed is what to tell
		}
	}
}

// take serves what was prepared, from now on. What it takes the place of ends when
// the last of its requests is done.
func (s *sites) take(next *plan, l *config.Loaded) error {
	for _, n := range next.apps {
		halted := n.app.halted.Load() != nil
		if n.pool == nil && !halted {
			continue
		}
		if !halted {
			n.app.take(n.pool)
			n.app.failure.Store(nil)
		}
		n.app.loaded, n.app.found, n.app.config = n.loaded, n.found, n.config
		if err := n.app.route(); err != nil {
			return err
		}
	}
	s.loaded.Store(l)
	old := s.current.Swap(next.tree)
	s.bell.Ring()
	if old == nil {
		return nil
	}
	old.Shut()
	// One after the other: an application that goes with this tree may still be
	// answering requests of the one before.
	before, ended := s.ended, make(chan struct{})
	s.ended = ended
	s.drains.Go(func() {
		defer close(ended)
		for _, done := range []<-chan struct{}{before, old.Empty()} {
			if done == nil {
				continue
			}
			select {
			case <-done:
			case <-s.ctx.Done():
			}
		}
		s.endTree(s.ctx, old, next.tree.apps)
	})
	return nil
}

// endTree closes a tree, and its applications that none of stay is.
func (s *sites) endTree(ctx context.Context, t *tree, stay map[string]*app) {
	if err := t.close(); err != nil {
		s.log.Error("cannot close what was served", "error", err)
	}
	var wg sync.WaitGroup
	for name, a := range t.apps {
		if stay[name] == a {
			continue
		}
		wg.Go(func() {
			if err := a.close(ctx); err != nil {
				s.log.Error("cannot end the application", "app", name, "error", err)
			}
		})
	}
	wg.Wait()
}

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

// checkSites is Check for a configuration with sites, or a folder of applications.
// Nothing is started.
func checkSites(p *project, l *config.Loaded, folder string, w io.Writer) error {
	folder, err := severalOnly(p, l, folder)
	if err != nil {
		return err
	}
	if _, _, err := sitesAccount(p, l, folder, os.Geteuid()); err != nil {
		return err
	}
	if err := l.Verify(); err != nil {
		return &Error{Err: err}
	}
	s := newSites(p, nil, slog.New(slog.DiscardHandler))
	defer s.cancel()
	screen := newScreen(w)
	for _, c := range l.Config.Routed() {
		n, err := s.named(l, &c)
		if err != nil {
			return err
		}
		if len(n.found.Files) == 0 {
			if err := moduleThere(n.found, screen); err != nil {
				return err
			}
		}
		screen.line("app", "%s: %s application %s, %s", c.Name, n.found.Framework, n.found.App, n.found.Python.Path)
	}
	routes := 0
	for i := range l.Config.Sites {
		site := &l.Config.Sites[i]
		for j := range site.Routes {
			at := &routePlace{loaded: l, site: site, route: &site.Routes[j], name: config.RouteName(i, j)}
			if check := kindOf(at.route.Kind).check; check != nil {
				if err := check(context.Background(), at); err != nil {
					return &Error{Err: err}
				}
			}
			routes++
		}
	}
	var ok []string
	if len(l.Config.Sites) > 0 {
		ok = append(ok, count(len(l.Config.Sites), "site"), count(routes, "route"))
	}
	if folder != "" {
		apps, err := checkWebapps(l, folder, screen)
		if err != nil {
			return err
		}
		ok = append(ok, count(apps, "application")+" in "+folder)
	}
	file := "no configuration file"
	if l.File != "" {
		file = filepath.Clean(l.File)
	}
	screen.line("ok", "%s; %s", file, strings.Join(ok, ", "))
	return nil
}

var _ site = (*sites)(nil)
