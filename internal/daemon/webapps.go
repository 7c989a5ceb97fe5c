package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/spelling"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// webappsFolder is where applications are looked for if nothing names a folder.
const webappsFolder = "webapps"

// firstWait is how long what is served where is not said, because applications
// are still starting: one that hangs must not keep the others from being told.
const firstWait = 10 * time.Second

// webapps is the folder of applications that the project consists of, "" if it
// is an application itself. One that was named is one; so is what could be a
// Python package of that name.
func (p *project) webapps(l *config.Loaded) string {
	switch {
	case l.Config.Webapps.Dir != "":
		return l.Config.Webapps.Dir
	case len(l.Config.Sites) > 0:
		return ""
	}
	dir := filepath.Join(p.dir, webappsFolder)
	info, err := os.Stat(dir)
	_, inPackage := os.Lstat(filepath.Join(dir, "__init__.py"))
	if err != nil || !info.IsDir() || inPackage == nil || p.callable != "" || l.Config.App.App != "" {
		return ""
	}
	return dir
}

// alone refuses what only one of several applications can be told.
func alone(l *config.Loaded) error {
	switch {
	case len(l.Config.Apps) > 0:
		return &Error{
			Err:  fmt.Errorf("%s: there are no [[sites]] whose routes could lead to it, and no webapps in which it could be", l.Call("apps."+l.Config.Apps[0].Name)),
			Hint: "for one application alone use [app]",
		}
	case l.Config.App.Type != config.Auto && l.Config.App.Type != string(webapps.WSGI):
		return &Error{
			Err:  fmt.Errorf("%s: gatehouse run runs WSGI applications, and %q is for one of several in webapps", l.Call("type"), l.Config.App.Type),
			Hint: "gatehouse DIR serves files, and gatehouse --cgi DIR scripts as well",
		}
	case len(l.Config.App.Release) > 0:
		return &Error{Err: fmt.Errorf("%s: only applications in webapps have such commands", l.Call("release")), Hint: "run them before the reload"}
	case l.Config.App.Start != config.AtOnce:
		return &Error{Err: fmt.Errorf("%s: the only application is started at once; %q is for one of several in webapps", l.Call("start"), l.Config.App.Start)}
	}
	for _, s := range config.Settings() {
		switch _, set := l.Origin(s.Name); {
		case !set:
		case s.HowScripts():
			return &Error{
				Err:  fmt.Errorf("%s: the only application is none of scripts; this is for those in webapps", l.Call(s.Name)),
				Hint: "gatehouse --cgi DIR and gatehouse --pages DIR run scripts, and so do routes of [[sites]]",
			}
		case s.Name == "install" && l.Config.App.Install != config.Off, s.Name == "processes":
			return &Error{Err: fmt.Errorf("%s: only applications in webapps have this", l.Call(s.Name))}
		}
	}
	return nil
}

// together refuses what only an application by itself can be told. Beside sites
// there are applications that routes lead to, of which it can be.
func together(l *config.Loaded) error {
	for _, s := range config.Settings() {
		_, set := l.Origin(s.Name)
		switch {
		case !set:
		case s.Name == "reload":
			return &Error{Err: fmt.Errorf("%s is for one application; what is saved in webapps is deployed anyway", l.Call(s.Name))}
		case ownOnly(s.Name) && s.Name != "python" && (len(l.Config.Sites) == 0 || s.ForWebapps()):
			return &Error{
				Err:  fmt.Errorf("%s is the matter of each application in webapps", l.Call(s.Name)),
				Hint: "put it into gatehouse.toml in that application's folder",
			}
		}
	}
	return nil
}

// appFolder is a folder of applications, one of the sites that there are.
type appFolder struct {
	*webapps.Deployer
	dir     string
	tenants *tenants
	groups  *cgroup.Tree
	log     *slog.Logger
	started *config.Loaded                // the configuration of the start, which some settings stay with
	loaded  atomic.Pointer[config.Loaded] // for applications that are deployed from now on
}

// newAppFolder is the folder dir, with those who run its applications. Nothing of
// it is opened yet.
func newAppFolder(dir string, l *config.Loaded, t *tenants, log *slog.Logger) *appFolder {
	h := &appFolder{dir: dir, tenants: t, log: log, started: l}
	h.loaded.Store(l)
	return h
}

// open begins to deploy what is in it. The process is h.who's already.
func (h *appFolder) open() (err error) {
	if h.Deployer, err = webapps.Open(h.deployerConfig()); err != nil {
		return webappsError(h.dir, err)
	}
	return nil
}

// wait waits until all that was there at first has been tried, but not for ever.
func (h *appFolder) wait(ctx context.Context) {
	timer := time.NewTimer(firstWait)
	defer timer.Stop()
	select {
	case <-h.Deployed():
	case <-timer.C:
	case <-ctx.Done():
	}
}

// deployerConfig is the Deployer's.
func (h *appFolder) deployerConfig() webapps.Config {
	return webapps.Config{Dir: h.dir, Load: h.load, Account: h.account, Shared: h.tenants.alone == nil, Drain: h.started.Config.Drain, Scheme: scheme, Log: h.log}
}

// account says whom an application runs as.
func (h *appFolder) account(name webapps.ContextName, owner uint32) (*webapps.Account, error) {
	a, err := h.tenants.of(h.loaded.Load(), name, owner)
	return a, asFailure(err)
}

// accountForAll decides whom the applications in dir run as: whoever --user
// names; started by root, the folder's owner. One that root owns is refused: many
// people's code, dropped in, is nothing for root to run.
func accountForAll(dir, named string, euid int) (*account, error) {
	who, warning, err := accountFor("", dir, named, euid)
	if err == nil && warning != "" {
		err = &Error{
			Err:  fmt.Errorf("cannot run the applications in %s as root, who owns the folder", dir),
			Hint: "--user NAME, or user in gatehouse.toml, takes somebody with fewer rights; or give the folder to one: chown NAME " + dir,
		}
	}
	return who, err
}

func webappsError(dir string, err error) *Error {
	e := &Error{Err: fmt.Errorf("cannot run the applications in %s: %w", dir, err)}
	if errors.Is(err, os.ErrPermission) {
		e.Hint = "whoever runs gatehouse keeps unpacked archives and data in " + filepath.Join(dir, ".gatehouse") + ", and must be allowed to write there"
	}
	return e
}

// absoluteFolder is the absolute path of a folder of applications.
func absoluteFolder(dir string) (string, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	var abs string
	if err == nil {
		abs, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", &Error{Err: fmt.Errorf("cannot run the applications in %s: %w", dir, cause(err)), Hint: "--webapps takes a folder in which each folder or archive is an application"}
	}
	return abs, nil
}

// reload has every application load its code again. kept are why some of them
// cannot, and go on as they were.
func (h *appFolder) reload(ctx context.Context, l *config.Loaded) (kept []error) {
	h.loaded.Store(l)
	for _, text := range strays(l, h.names()) {
		h.log.Warn("a table is about no application", "error", text)
	}
	switch err := h.ReloadAll(ctx).(type) {
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	default:
		return []error{err}
	}
}

// risks are what strangers should not reach.
func (h *appFolder) risks() (all []string) {
	for _, s := range h.Apps() {
		if s.Debug {
			all = append(all, fmt.Sprintf("%v: debug mode is on and everybody on the network can reach this: visitors may see settings and code", s.Name))
		}
	}
	return all
}

// dump logs what all workers are doing.
func (h *appFolder) dump(ctx context.Context) {
	for _, s := range h.Apps() {
		stacks, err := h.Stacks(ctx, s.Name)
		if err == nil { // it has gone meanwhile
			logStacks(h.log.With("app", s.Name.String()), stacks)
		}
	}
}

// announce says what runs where, an application each line.
func (h *appFolder) announce(s *screen) {
	apps, l := h.Apps(), h.loaded.Load()
	s.line("webapps", "%s in %s%s", count(len(apps), "application"), h.dir, answersFor(&l.Config))
	path, about, entry := 0, 0, 0
	for i := range apps {
		path, about, entry = max(path, len(apps[i].Name.String())), max(about, len(apps[i].About)), max(entry, len(apps[i].Entry))
	}
	for i := range apps {
		a := &apps[i]
		label := ""
		if a.State == webapps.Failed {
			label = "failed"
		}
		s.line(label, "%-*s  %-*s  %-*s  %s", path, a.Name, about, a.About, entry, a.Entry, stateOf(a))
	}
	for _, text := range strays(l, h.names()) {
		s.line("warning", "%s", text)
	}
	for _, text := range sharing(apps) {
		s.line("", "%s", text)
	}
	if text := h.tenants.mightiest(apps, &l.Config); text != "" {
		s.line("warning", "%s", text)
	}
}

// answersFor says under which hosts the folder of applications answers, where that
// is not every one.
func answersFor(c *config.Config) string {
	switch {
	case len(c.Webapps.Hosts) > 0:
		return ", for " + strings.Join(c.Webapps.Hosts, ", ")
	case len(c.Sites) > 0:
		return ", for every other host"
	}
	return ""
}

// clash refuses a configuration in which routes lead to an application of a name
// that one of the folder has.
func (h *appFolder) clash(l *config.Loaded) error {
	var failed []config.Problem
	for _, app := range l.Config.Routed() {
		for _, name := range h.names() {
			if nameOf(app.Name).Path() == name.Path() {
				failed = append(failed, l.At("apps."+app.Name, fmt.Sprintf("apps: %v in the folder of applications has the name of %q, which routes lead to; rename one of them", name, app.Name)))
				break
			}
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &Error{Err: &config.FileError{Problems: failed}}
}

// sharing tells of applications that run as one user: none is safe from another.
func sharing(apps []webapps.Status) (all []string) {
	const reach = "can reach each other's files and processes"
	users := map[string][]string{}
	for i := range apps {
		users[apps[i].User] = append(users[apps[i].User], apps[i].Name.String())
	}
	if len(users) == 1 && len(apps) > 1 {
		return []string{"all run as one user and " + reach}
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		if names := users[user]; user != "" && len(names) > 1 {
			all = append(all, fmt.Sprintf("%s run as %s and %s", strings.Join(names, ", "), user, reach))
		}
	}
	return all
}

// names are those of the applications.
func (h *appFolder) names() []webapps.ContextName {
	var all []webapps.ContextName
	for _, s := range h.Apps() {
		all = append(all, s.Name)
	}
	return all
}

// strays tells of each table [apps.NAME] for which no application is there, by
// these names. That is no error: applications come and go.
func strays(l *config.Loaded, names []webapps.ContextName) []string {
	var all, bases []string
	for _, name := range names {
		bases = append(bases, name.Base())
	}
	for _, app := range l.Config.InFolder() {
		name, err := webapps.ParseBase(app.Name)
		if err == nil && slices.ContainsFunc(names, func(n webapps.ContextName) bool { return concerns(name, n) }) {
			continue
		}
		text := fmt.Sprintf("%s: no application in webapps is called %q", l.Call("apps."+app.Name), app.Name)
		if near := spelling.Nearest(app.Name, bases); near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		all = append(all, text)
	}
	return all
}

// concerns reports whether a table of that name is about an application: without a
// version, it is about all versions.
func concerns(table, app webapps.ContextName) bool {
	return table == app || table.Version() == "" && table.Path() == app.Path()
}

// stateOf is the state of an application in words.
func stateOf(a *webapps.Status) string {
	switch {
	case a.State == webapps.Failed && a.Failure != nil:
		return fmt.Sprintf("failed: %v", a.Failure.Err)
	case a.Asleep:
		return "starts with its first request"
	case a.Workers != nil:
		return fmt.Sprintf("%v   %s   Python %s", a.State, count(len(a.Workers.Workers), "worker"), a.Python)
	}
	return a.State.String()
}

// inspectWebapps says what would be deployed from dir, as the present configuration
// has it.
func inspectWebapps(l *config.Loaded, dir string) ([]webapps.Finding, error) {
	who, err := accountForAll(dir, l.Config.User, os.Geteuid())
	if err != nil {
		return nil, err
	}
	t, err := newTenants(who, l, os.Geteuid())
	if err != nil {
		return nil, err
	}
	found, err := webapps.Inspect(newAppFolder(dir, l, t, slog.New(slog.DiscardHandler)).deployerConfig())
	if err != nil {
		return nil, webappsError(dir, err)
	}
	return found, nil
}

// isApp reports whether an entry is an application, though one that has failed
// perhaps.
func isApp(f *webapps.Finding) bool {
	_, failed := errors.AsType[*webapps.Failure](f.Err)
	return f.Err == nil || failed
}

// namesOf are those of what was found to be applications.
func namesOf(found []webapps.Finding) []webapps.ContextName {
	var all []webapps.ContextName
	for _, f := range found {
		if isApp(&f) {
			all = append(all, f.Name)
		}
	}
	return all
}

// explainWebapps writes what the entries of a folder of applications are.
func explainWebapps(l *config.Loaded, dir string, b *strings.Builder) error {
	found, err := inspectWebapps(l, dir)
	if err != nil {
		return err
	}
	explainRow(b, "folder", dir)
	explainRow(b, "file", l.File)
	for _, f := range found {
		b.WriteByte('\n')
		if !isApp(&f) {
			explainRow(b, f.Entry, "no application: "+f.Err.Error())
			continue
		}
		what := cmp.Or(f.About, "failed") + ", " + f.Entry
		if f.User != "" {
			what += ", as " + f.User
		}
		explainRow(b, f.Name.String(), what)
		for _, r := range f.Reasons {
			fmt.Fprintf(b, "  %s\n", printable(r))
		}
		if f.Err != nil {
			fmt.Fprintf(b, "  %s\n", printable(f.Err.Error()))
		}
	}
	for _, text := range strays(l, namesOf(found)) {
		fmt.Fprintf(b, "\nwarning: %s\n", printable(text))
	}
	return nil
}

// folderLines are the lines of a file that name the folder dir where the
// configuration does not.
func folderLines(p *project, l *config.Loaded, dir string) []config.Line {
	if _, set := l.Origin("webapps"); set || dir == "" {
		return nil
	}
	root, err := filepath.Abs(p.dir)
	if err != nil {
		root = p.dir
	}
	return []config.Line{config.TextLine("webapps", "dir", strings.TrimPrefix(inFolder(root, dir), "./"), "a folder of that name is there")}
}

// checkWebapps tells whether all that is in a folder of applications can be
// deployed, and of how many it is.
func checkWebapps(l *config.Loaded, dir string, s *screen) (apps int, err error) {
	found, err := inspectWebapps(l, dir)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, f := range found {
		if f.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", filepath.Join(dir, f.Entry), f.Err))
		}
	}
	if len(errs) > 0 {
		return 0, &Error{Err: errors.Join(errs...)}
	}
	for _, text := range strays(l, namesOf(found)) {
		s.line("warning", "%s", text)
	}
	return len(found), nil
}
