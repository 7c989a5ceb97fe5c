package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What each kind of site tells of itself: see inspected.

// status is an application as if it were one of a folder, under a name.
func (a *app) status(name webapps.ContextName) webapps.Status {
	s := webapps.Status{
		Name: name, Entry: filepath.Base(absolutePath(a.project.dir)), Type: webapps.WSGI, About: "WSGI",
		State: webapps.Failed, Traffic: a.meter.Snapshot(), Draining: int(a.draining.Load()),
	}
	if since := a.halted.Load(); since != nil {
		s.State, s.Since = webapps.Stopped, *since
	}
	if a.loading.Load() {
		s.Deploying, s.Step = true, webapps.Starting
	}
	if f := a.failure.Load(); f != nil {
		named := *f
		named.Name = name
		s.Failure = &named
	}
	if broken := a.broken.Load(); broken != nil {
		s.Failure = &webapps.Failure{Name: name, Err: broken, Hint: broken.Hint, Traceback: broken.Traceback}
	}
	if p := a.pool(); p != nil {
		info, workers := p.Info(), p.Status()
		s.State, s.Since, s.Python, s.Debug, s.Workers = webapps.Running, workers.Loaded, info.Python, info.Debug, &workers
		s.InFlight, s.Unheld = s.Traffic.InFlight, workers.Unheld
		if info.Framework.Name != "" {
			s.About = info.Framework.Name + " " + info.Framework.Version
		}
	}
	return s
}

// Apps implements inspected: the only application answers at "/".
func (a *app) Apps() []webapps.Status { return []webapps.Status{a.status(webapps.ContextName{})} }

// Problems implements inspected.
func (a *app) Problems() []webapps.Problem { return nil }

// Requests implements inspected.
func (a *app) Requests(_ webapps.ContextName, most int) ([]metrics.Request, error) {
	return a.meter.Requests(most), nil
}

// Stacks implements inspected.
func (a *app) Stacks(ctx context.Context, _ webapps.ContextName) ([]pyapp.WorkerStacks, error) {
	if p := a.pool(); p != nil {
		return p.Stacks(ctx), nil
	}
	return nil, nil
}

func (a *app) manager() control.Manager { return nil }

// logName is everybody's: there is nobody else.
func (a *app) logName(webapps.ContextName) string { return logbook.All }

func (a *app) place(s *control.Server) { s.Dir = absolutePath(a.project.dir) }

// nameOf is a named application's name as that of an entry would be.
func nameOf(app string) webapps.ContextName {
	name, err := webapps.ParseBase(app)
	if err != nil {
		panic(err) // the configuration takes letters, digits, - and _
	}
	return name
}

// Apps implements inspected: applications that routes lead to have the names that
// the file gives them, wherever the routes are.
func (s *sites) Apps() []webapps.Status {
	apps := s.current.Load().apps
	all := make([]webapps.Status, 0, len(apps))
	for name, a := range apps {
		status := a.status(nameOf(name))
		status.Routed = true
		all = append(all, status)
	}
	all = append(all, s.pages()...)
	if s.folder != nil {
		all = append(all, s.folder.Apps()...)
	}
	slices.SortFunc(all, func(a, b webapps.Status) int { return a.Name.Compare(b.Name) })
	return all
}

// pages are the page scripts with an application that routes lead to and whose
// workers run, by their paths: two sites may have one of the same path, and nobody
// can tell them apart. A path that is no name of an application is left out.
func (s *sites) pages() []webapps.Status {
	var all []webapps.Status
	for _, h := range s.current.Load().pages {
		for _, a := range h.Applications() {
			name, err := webapps.ParsePath(a.Name, "")
			if err != nil {
				continue
			}
			i := slices.IndexFunc(all, func(s webapps.Status) bool { return s.Name == name })
			if i >= 0 {
				all[i].Workers.Workers = append(all[i].Workers.Workers, a.Workers.Workers...)
				continue
			}
			all = append(all, webapps.Status{
				Name: name, Type: webapps.Pages, About: "page script", Python: a.Info.Python,
				State: webapps.Running, Since: a.Workers.Loaded, Routed: true, Workers: &a.Workers,
			})
		}
	}
	return all
}

// page reports whether a page script of that path runs.
func (s *sites) page(name webapps.ContextName) bool {
	return slices.ContainsFunc(s.pages(), func(s webapps.Status) bool { return s.Name == name })
}

// pageStacks asks the workers of page scripts of that path.
func (s *sites) pageStacks(ctx context.Context, name webapps.ContextName) []pyapp.WorkerStacks {
	var all []pyapp.WorkerStacks
	for _, h := range s.current.Load().pages {
		all = append(all, h.Stacks(ctx)[name.Path()]...)
	}
	return all
}

// Traffic implements manager.Apps.
func (s *sites) Traffic() map[webapps.ContextName]metrics.Snapshot {
	all := map[webapps.ContextName]metrics.Snapshot{}
	if s.folder != nil {
		all = s.folder.Traffic()
	}
	for name, a := range s.current.Load().apps {
		all[nameOf(name)] = a.meter.Snapshot()
	}
	return all
}

// Problems implements inspected.
func (s *sites) Problems() []webapps.Problem {
	if s.folder == nil {
		return nil
	}
	return s.folder.Problems()
}

// routed is the application of that name that routes lead to, nil if they lead to
// none.
func (s *sites) routed(name webapps.ContextName) *app { return s.current.Load().apps[name.Base()] }

// noApp is the error where neither routes nor the folder have an application.
func noApp(name webapps.ContextName) error { return fmt.Errorf("%v: %w", name, webapps.ErrNoApp) }

// Requests implements inspected.
func (s *sites) Requests(name webapps.ContextName, most int) ([]metrics.Request, error) {
	switch a := s.routed(name); {
	case a != nil:
		return a.Requests(name, most)
	case s.page(name):
		return nil, nil // they are not counted by page
	case s.folder != nil:
		return s.folder.Requests(name, most)
	}
	return nil, noApp(name)
}

// Stacks implements inspected.
func (s *sites) Stacks(ctx context.Context, name webapps.ContextName) ([]pyapp.WorkerStacks, error) {
	switch a := s.routed(name); {
	case a != nil:
		return a.Stacks(ctx, name)
	case s.page(name):
		return s.pageStacks(ctx, name), nil
	case s.folder != nil:
		return s.folder.Stacks(ctx, name)
	}
	return nil, noApp(name)
}

func (s *sites) manager() control.Manager { return s }

// logName implements inspected: what routes lead to is known by the name in the
// file, page scripts and what is in the folder by their paths.
func (s *sites) logName(name webapps.ContextName) string {
	if s.routed(name) != nil || s.folder == nil && !strings.ContainsAny(name.Base(), ".#") {
		return name.Base()
	}
	return name.String()
}

func (s *sites) place(server *control.Server) {
	server.Dir = absolutePath(s.project.dir)
	if s.folder != nil {
		server.Webapps = s.folder.dir
	}
}
