package daemon

import (
	"context"
	"fmt"
	"io"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What changes single applications, for commands and the manager page. What
// routes lead to can be stopped, started and loaded again; what it is and where it
// lies stands in the file. All else is for the folder of applications.

// Start implements control.Manager.
func (s *sites) Start(ctx context.Context, name webapps.ContextName) error {
	return s.one(ctx, name, "started", (*webapps.Deployer).Start, func(ctx context.Context, a *app) error {
		return a.resume(ctx, s.pools)
	})
}

// Stop implements control.Manager. A reload leaves it stopped, and checks what is
// new of it; a restart of the server starts it.
func (s *sites) Stop(ctx context.Context, name webapps.ContextName) error {
	return s.one(ctx, name, "stopped", (*webapps.Deployer).Stop, func(_ context.Context, a *app) error {
		return a.halt(s.loaded.Load().Config.Drain)
	})
}

// Reload implements control.Manager: with the configuration that is in force.
func (s *sites) Reload(ctx context.Context, name webapps.ContextName) error {
	return s.one(ctx, name, "reloaded", (*webapps.Deployer).Reload, func(ctx context.Context, a *app) error {
		return a.renew(ctx)
	})
}

// one does something to one application, which is then done, as the log has it.
func (s *sites) one(ctx context.Context, name webapps.ContextName, done string, inFolder func(*webapps.Deployer, context.Context, webapps.ContextName) error, do func(context.Context, *app) error) error {
	switch {
	case s.routed(name) != nil:
	case s.page(name):
		return refusePage(name)
	case s.folder != nil:
		return inFolder(s.folder.Deployer, ctx, name)
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	a := s.routed(name)
	if a == nil {
		return noApp(name)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.loading, cancel)()
	if err := do(ctx, a); err != nil {
		return err
	}
	s.bell.Ring()
	s.log.Info(done, "app", name.Base())
	return nil
}

// Deploy implements control.Manager.
func (s *sites) Deploy(ctx context.Context, name webapps.ContextName, ending string, r io.Reader, options webapps.DeployOptions) error {
	l := s.loaded.Load()
	err := s.refuse(name, "deploy", func(a *app) string {
		return fmt.Sprintf("put the new code into %s, then: gatehouse reload %v", a.project.dir, name)
	})
	switch {
	case err != nil:
		return err
	case s.folder == nil:
		return &webapps.RefusedError{
			What: fmt.Sprintf("cannot deploy %v: this server has no folder of applications", name),
			Hint: fmt.Sprintf("[webapps] with dir = \"webapps\" in %s makes one beside the sites; that takes a restart", l.File),
		}
	}
	return s.folder.Deploy(ctx, name, ending, r, options)
}

// Undeploy implements control.Manager.
func (s *sites) Undeploy(ctx context.Context, name webapps.ContextName) error {
	return s.inFolder(ctx, name, "undeploy", (*webapps.Deployer).Undeploy, func(a *app) string {
		return fmt.Sprintf("gatehouse stop %v ends it; to be rid of it, take [apps.%s] and its routes out of %s, then: gatehouse reload", name, name.Base(), s.loaded.Load().File)
	})
}

// Rollback implements control.Manager.
func (s *sites) Rollback(ctx context.Context, name webapps.ContextName) error {
	return s.inFolder(ctx, name, "roll back", (*webapps.Deployer).Rollback, func(a *app) string {
		return fmt.Sprintf("put the earlier code back into %s, then: gatehouse reload %v", a.project.dir, name)
	})
}

// Retire implements control.Manager.
func (s *sites) Retire(ctx context.Context, name webapps.ContextName, now bool) error {
	retire := func(d *webapps.Deployer, ctx context.Context, name webapps.ContextName) error {
		return d.Retire(ctx, name, now)
	}
	return s.inFolder(ctx, name, "retire", retire, func(*app) string {
		return fmt.Sprintf("it has one version alone; gatehouse stop %v ends it", name)
	})
}

// Subscribe implements control.Manager.
func (s *sites) Subscribe() (changed <-chan struct{}, stop func()) { return s.bell.Subscribe() }

// inFolder does what can be done only to an application in the folder of them;
// instead says what to do about another.
func (s *sites) inFolder(ctx context.Context, name webapps.ContextName, what string, do func(*webapps.Deployer, context.Context, webapps.ContextName) error, instead func(*app) string) error {
	err := s.refuse(name, what, instead)
	switch {
	case err != nil:
		return err
	case s.page(name):
		return refusePage(name)
	case s.folder == nil:
		return noApp(name)
	}
	return do(s.folder.Deployer, ctx, name)
}

// refusePage is the error of whatever is to be done to a page script by itself.
func refusePage(name webapps.ContextName) error {
	return &webapps.RefusedError{
		What: fmt.Sprintf("%v is a page script: it is started by whoever asks for it, and loaded again when its file has changed", name),
		Hint: "to be rid of it, take its file away, or give its path to another route",
	}
}

// refuse is the error if routes lead to an application of that name.
func (s *sites) refuse(name webapps.ContextName, what string, instead func(*app) string) error {
	l := s.loaded.Load()
	for _, app := range l.Config.Routed() {
		if nameOf(app.Name).Path() != name.Path() {
			continue
		}
		return &webapps.RefusedError{
			What: fmt.Sprintf("cannot %s %v: it is not in a folder of applications, but in the configuration, at %s", what, name, l.Call("apps."+app.Name)),
			Hint: instead(s.routed(nameOf(app.Name))),
		}
	}
	return nil
}

var (
	_ control.Manager = (*sites)(nil)
	_ manager.Apps    = (*sites)(nil)
)
