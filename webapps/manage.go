package webapps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// change does something to the application of that name when nobody else does.
func (d *Deployer) change(ctx context.Context, name ContextName, create bool, do func(*app) error) error {
	if !d.begin() {
		return ErrClosed
	}
	defer d.tasks.Done()
	for {
		d.mu.Lock()
		a := d.apps[name]
		if a == nil && create {
			a = d.adopt(name)
		}
		d.mu.Unlock()
		if a == nil {
			return fmt.Errorf("webapps: %v: %w", name, ErrNoApp)
		}
		select {
		case a.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-d.loading.Done():
			return ErrClosed
		}
		if a.gone {
			<-a.turn
			continue // another may have come in its place
		}
		defer func() { <-a.turn }()
		return do(a)
	}
}

// while returns a context that ends with ctx and when no deployment may go on.
func (d *Deployer) while(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.loading, cancel)
	return ctx, func() { stop(); cancel() }
}

// DeployOptions say how to deploy.
type DeployOptions struct {
	// Discard throws away what the running version has written into its own folder,
	// and lets an archive take the place of a folder: a rollback goes back to either,
	// until the next deployment.
	Discard bool
}

// Deploy deploys the archive that r gives, with an ending that archives have,
// such as ".zip", as that version of the application at that path: beside what
// runs, which goes on if it fails. Then the archive takes its place in the folder
// of applications. The error is a *Failure if the application is at fault; it may
// wrap a *WrittenError, which Discard overrides.
func (d *Deployer) Deploy(ctx context.Context, name ContextName, ending string, r io.Reader, options DeployOptions) error {
	if archive.Ending("x"+ending) != ending || ending == "" {
		return fmt.Errorf("webapps: deploy %v: %q is no ending of an archive; .zip, .tar.gz, .tgz, .whl and .pyz are", name, ending)
	}
	if strings.EqualFold(ending, ".whl") {
		ending = ".zip" // the name of a wheel says more than its base
	}
	received, err := d.receive(name, ending, r)
	if err != nil {
		return err
	}
	defer os.Remove(received) // it has been moved if all went well
	ctx, cancel := d.while(ctx)
	defer cancel()
	return d.change(ctx, name, true, func(a *app) error {
		isNew := a.entry == nil
		err := d.deployReceived(ctx, a, name.Base()+ending, received, options)
		if err != nil && isNew {
			d.remove(a) // it never was
		}
		return err
	})
}

func (d *Deployer) deployReceived(ctx context.Context, a *app, file, received string, options DeployOptions) error {
	old := a.entry
	if old != nil && !old.archive && (!options.Discard || !isFolder(old.path)) {
		return newFailure(a.name, &hintError{
			fmt.Errorf("%s: %w", old.file, ErrFolder),
			"copy the new files there, or undeploy it first; a deployment that discards it (--discard) keeps it for a rollback, until the next one",
		})
	}
	if old == nil {
		if entries, problems, err := d.config.scan(); err != nil {
			return err
		} else if e := entries[a.name]; e != nil || slices.ContainsFunc(problems, func(p Problem) bool { return p.Entry == file }) {
			return newFailure(a.name, errors.New("there is another entry for it in the folder, which is not deployed yet"))
		}
	}
	info, err := os.Stat(received)
	if err != nil {
		return fmt.Errorf("webapps: deploy: %w", err)
	}
	e := &entry{file: file, path: received, name: a.name, archive: true, info: info, owners: owners{ownerOf(info), ownerOf(info)}, received: true}
	if old != nil {
		// Whose application it is does not change.
		if a, err := d.config.accountOf(e.name, old.owners); err == nil && a.user() != nil && a.User.UID == old.owners.entry {
			e.owners = owners{old.owners.entry, old.owners.entry}
		}
	}
	return d.deploy(ctx, a, deployment{
		entry: e, discard: options.Discard, displaces: old != nil && !old.archive, restore: old,
		commit: func(m memory) error {
			final := filepath.Join(d.config.Dir, file)
			if e.owners.entry != ownerOf(info) {
				if err := os.Lchown(received, int(e.owners.entry), -1); err != nil {
					return err
				}
			}
			if err := os.Rename(received, final); err != nil {
				return err
			}
			if err := d.displace(old, file, m); err != nil {
				_ = os.Remove(final) // the old one is still there
				return err
			}
			d.mu.Lock()
			e.path, e.received = final, false
			d.mu.Unlock()
			return nil
		},
	})
}

// displace takes the entry away that an archive, of the name file, is there for.
// A folder becomes what a rollback goes back to. A request that the old one has
// not ended yet may miss a module which it has not imported yet; what is asked of
// it from now on is nothing.
func (d *Deployer) displace(old *entry, file string, m memory) (err error) {
	if old == nil || old.file == file {
		return nil
	}
	path := filepath.Join(d.config.Dir, old.file)
	if old.archive {
		err = os.Remove(path)
	} else {
		err = d.store.take(old.name, m.Previous, path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// receive stores an archive and returns its path.
func (d *Deployer) receive(name ContextName, ending string, r io.Reader) (path string, err error) {
	f, err := os.CreateTemp(d.store.incoming(), "*"+ending)
	if err != nil {
		return "", fmt.Errorf("webapps: receive %v: %w", name, err)
	}
	n, err := io.Copy(f, io.LimitReader(r, d.config.MaxUpload+1))
	if err == nil && n > d.config.MaxUpload {
		err = fmt.Errorf("%w: more than %d bytes", archive.ErrTooLarge, d.config.MaxUpload)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name()) // err is what to tell
		return "", fmt.Errorf("webapps: receive %v: %w", name, err)
	}
	return f.Name(), nil
}

// Undeploy ends an application, removes its entry from the folder and all that
// was unpacked of it. Its data stays.
func (d *Deployer) Undeploy(ctx context.Context, name ContextName) error {
	return d.change(ctx, name, false, func(a *app) error {
		entry := a.entry
		if entry != nil {
			if err := d.store.discard(filepath.Join(d.config.Dir, entry.file)); err != nil {
				return err
			}
		}
		d.remove(a)
		d.log.Info("undeployed", "app", name.String())
		return nil
	})
}

// Stop ends an application that stays where it is, until Start, and answers 503
// meanwhile. It stays stopped when the server is started anew.
func (d *Deployer) Stop(ctx context.Context, name ContextName) error {
	return d.change(ctx, name, false, d.stop)
}

func (d *Deployer) stop(a *app) error {
	m := a.memory
	m.Stopped = true
	if err := d.store.remember(a.name, m); err != nil {
		return err
	}
	d.mu.Lock()
	a.memory, a.latest, a.retired = m, nil, false
	d.mu.Unlock()
	d.use(a, nil)
	d.log.Info("stopped", "app", a.name.String())
	return nil
}

// Start starts an application that was stopped, is retired or has failed. One
// that runs is left alone.
func (d *Deployer) Start(ctx context.Context, name ContextName) error {
	return d.redeploy(ctx, name, true)
}

// Reload loads an application's code and configuration anew, beside what runs.
func (d *Deployer) Reload(ctx context.Context, name ContextName) error {
	return d.redeploy(ctx, name, false)
}

// redeploy deploys what is there. onlyStart leaves alone what runs, otherwise
// what is stopped is.
func (d *Deployer) redeploy(ctx context.Context, name ContextName, onlyStart bool) error {
	ctx, cancel := d.while(ctx)
	defer cancel()
	return d.change(ctx, name, false, func(a *app) error {
		switch {
		case a.entry == nil:
			return fmt.Errorf("webapps: %v: %w yet: it is still being copied", name, ErrNoApp)
		case onlyStart && a.serving != nil && a.serving.runs() && !a.retired:
			return nil
		case !onlyStart && a.memory.Stopped:
			return nil
		}
		m := a.memory
		m.Stopped = false
		d.mu.Lock()
		a.memory = m
		d.mu.Unlock()
		// What is remembered says so first: a server that is killed now starts it.
		if err := d.store.remember(name, m); err != nil {
			return err
		}
		return d.deploy(ctx, a, deployment{entry: a.entry})
	})
}

// ReloadAll reloads all applications, several at a time, and returns why some of
// them go on as they were.
func (d *Deployer) ReloadAll(ctx context.Context) error {
	apps := d.list()
	failed := make(chan error, len(apps))
	for _, a := range apps {
		go func() { failed <- d.Reload(ctx, a.name) }()
	}
	var errs []error
	for range apps {
		if err := <-failed; err != nil && !errors.Is(err, ErrNoApp) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Rollback has the deployment of an archive before the present one run again;
// after a second call the present one does. The archive in the folder stays as it
// is: another one in its place is deployed as ever.
func (d *Deployer) Rollback(ctx context.Context, name ContextName) error {
	ctx, cancel := d.while(ctx)
	defer cancel()
	return d.change(ctx, name, false, func(a *app) error {
		m := a.memory
		if m.Previous == 0 || !isFolder(d.store.unpacked(name, m.Previous)) {
			return fmt.Errorf("webapps: roll %v back: %w", name, ErrNoPrevious)
		}
		m.Current, m.Previous, m.Stopped = m.Previous, m.Current, false
		return d.deploy(ctx, a, deployment{entry: a.entry, memory: &m})
	})
}

// Retire has a version get no new sessions; it stops when those that it has are
// idle, or at once: one with a hole in it is not kept for anybody.
func (d *Deployer) Retire(ctx context.Context, name ContextName, now bool) error {
	return d.change(ctx, name, false, func(a *app) error {
		if d.newest(name.Path(), a) == nil {
			return fmt.Errorf("webapps: retire %v: %w", name, ErrOnly)
		}
		if now {
			return d.stop(a)
		}
		d.mu.Lock()
		a.retired = true
		d.publish(a.name.Path())
		d.mu.Unlock()
		d.changed()
		return nil
	})
}

// newest is the newest version that runs at a path and gets sessions, but for
// except; nil if there is none.
func (d *Deployer) newest(path string, except *app) *app {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sites[path]
	if s == nil {
		return nil
	}
	for _, m := range *s.versions.Load() {
		if a := d.apps[m.name]; a != except && !m.retired && m.serving != nil && m.serving.runs() {
			return a
		}
	}
	return nil
}

// retireOld stops versions that a newer one has replaced and nobody has asked for
// for a while, and those whose sessions have all come to their end.
func (d *Deployer) retireOld() {
	now := time.Now()
	for _, a := range d.list() {
		d.mu.Lock()
		i, retired := a.serving, a.retired
		d.mu.Unlock()
		if i == nil || !i.runs() {
			continue
		}
		newest := d.newest(a.name.Path(), a)
		if newest == nil || !retired && newest.name.Compare(a.name) < 0 {
			continue
		}
		d.mu.Lock()
		other := newest.serving
		d.mu.Unlock()
		if other == nil {
			continue
		}
		_, since, _ := other.now()
		last := time.Unix(0, i.used.Load())
		if since.After(last) {
			last = since
		}
		if i.inside.Inside() == 0 && now.Sub(last) > d.config.Idle || now.Sub(since) > sessionTime {
			d.try(a, nil, func() {
				if err := d.stop(a); err != nil {
					d.log.Error("cannot retire", "app", a.name.String(), "error", err)
				}
			})
		}
	}
}

// Stacks asks the workers of an application what they are doing; nothing where
// none run.
func (d *Deployer) Stacks(ctx context.Context, name ContextName) ([]pyapp.WorkerStacks, error) {
	if !d.begin() {
		return nil, ErrClosed
	}
	defer d.tasks.Done()
	d.mu.Lock()
	a := d.apps[name]
	var i *instance
	if a != nil {
		i = a.serving
	}
	d.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("webapps: %v: %w", name, ErrNoApp)
	}
	if i == nil {
		return nil, nil
	}
	o := i.opened.Load()
	switch {
	case o == nil:
		return nil, nil
	case o.pool != nil:
		return o.pool.Stacks(ctx), nil
	case o.pages != nil:
		stacks := o.pages.Stacks(ctx)
		var all []pyapp.WorkerStacks
		for _, page := range slices.Sorted(maps.Keys(stacks)) {
			all = append(all, stacks[page]...)
		}
		return all, nil
	}
	return nil, nil
}
