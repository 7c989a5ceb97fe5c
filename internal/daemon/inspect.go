package daemon

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What each kind of site tells of itself: see inspected.

func (h *appFolder) manager() control.Manager { return h.Deployer }

func (h *appFolder) logName(name webapps.ContextName) string { return name.String() }

func (h *appFolder) place(s *control.Server) { s.Dir, s.Webapps = absolutePath(h.project.dir), h.dir }

// status is an application as if it were one of a folder, under a name.
func (a *app) status(name webapps.ContextName) webapps.Status {
	s := webapps.Status{
		Name: name, Entry: filepath.Base(absolutePath(a.project.dir)), Type: webapps.WSGI, About: "WSGI",
		State: webapps.Failed, Traffic: a.meter.Snapshot(),
	}
	if broken := a.broken.Load(); broken != nil {
		s.Failure = &webapps.Failure{Name: name, Err: broken, Hint: broken.Hint, Traceback: broken.Traceback}
	}
	if p := a.pool(); p != nil {
		info, workers := p.Info(), p.Status()
		s.State, s.Since, s.Python, s.Debug, s.Workers = webapps.Running, workers.Loaded, info.Python, info.Debug, &workers
		s.InFlight = s.Traffic.InFlight
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

// Apps implements inspected: applications have the names that the file gives them,
// wherever routes lead to them.
func (s *sites) Apps() []webapps.Status {
	apps := s.current.Load().apps
	all := make([]webapps.Status, 0, len(apps))
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		all = append(all, apps[name].status(nameOf(name)))
	}
	return all
}

// Problems implements inspected.
func (s *sites) Problems() []webapps.Problem { return nil }

// called is the application of that name.
func (s *sites) called(name webapps.ContextName) (*app, error) {
	if a := s.current.Load().apps[name.Base()]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("%v: %w", name, webapps.ErrNoApp)
}

// Requests implements inspected.
func (s *sites) Requests(name webapps.ContextName, most int) ([]metrics.Request, error) {
	a, err := s.called(name)
	if err != nil {
		return nil, err
	}
	return a.Requests(name, most)
}

// Stacks implements inspected.
func (s *sites) Stacks(ctx context.Context, name webapps.ContextName) ([]pyapp.WorkerStacks, error) {
	a, err := s.called(name)
	if err != nil {
		return nil, err
	}
	return a.Stacks(ctx, name)
}

func (s *sites) manager() control.Manager { return nil }

func (s *sites) logName(name webapps.ContextName) string { return name.Base() }

func (s *sites) place(server *control.Server) { server.Dir = absolutePath(s.project.dir) }
