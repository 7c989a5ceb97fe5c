package webapps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// startHold is how long an application that starts keeps others from starting.
// Together they would all be slow; one that hangs must not hold up the rest.
const startHold = 5 * time.Second

// update deploys an entry that is new or has changed. The caller has the turn.
func (d *Deployer) update(a *app, e *entry) {
	if a.entry == nil {
		m, err := d.store.recall(a.name)
		if err != nil {
			d.log.Warn("what was remembered is lost", "app", a.name.String(), "error", err)
		}
		d.mu.Lock()
		a.memory = m
		d.mu.Unlock()
	}
	if a.memory.Stopped {
		d.mu.Lock()
		a.entry = e
		d.mu.Unlock()
		return // until somebody starts it
	}
	if a.serving != nil && a.entry.same(e) && d.unaffected(a.serving) {
		return
	}
	_ = d.deploy(d.loading, a, deployment{entry: e}) // it has been logged, and is told by Apps
}

// unaffected reports whether a change of source files means nothing to a site
// that reads its files for each request.
func (d *Deployer) unaffected(i *instance) bool {
	if i.found.kind == WSGI || !i.runs() {
		return false
	}
	now := &instance{name: i.name, account: i.account, dir: i.dir}
	key := ""
	err := i.account.do(func() error {
		err := now.recognise(&d.config)
		if err != nil {
			return err
		}
		p, err := planEnvironment(now)
		if p != nil {
			key = p.key
		}
		return err
	})
	return err == nil && now.found.kind == i.found.kind && key == i.environmentKey &&
		reflect.DeepEqual(withoutFunctions(now.loaded), withoutFunctions(i.loaded))
}

// withoutFunctions is app without functions, which are the same for all.
func withoutFunctions(app App) App {
	for _, c := range []*cgi.Config{&app.CGI, &app.Pages.Scripts} {
		c.Scheme, c.Identity, c.Redirect, c.NotFound, c.Divert, c.Log = nil, nil, nil, nil, nil, nil
	}
	for _, c := range []*pyapp.Config{&app.WSGI, &app.Pages.Applications} {
		c.Scheme, c.Debug, c.Log = nil, nil, nil
	}
	app.Pages.Files, app.Pages.NotFound = nil, nil
	app.Static.NotFound, app.Static.Log = nil, nil
	return app
}

// deployment is one wish to deploy.
type deployment struct {
	entry     *entry
	discard   bool               // throw away what the running version has written
	displaces bool               // the entry takes the place of a folder, which becomes the previous deployment
	commit    func(memory) error // called when the new one is ready, before the switch, with what is remembered by now
	memory    *memory            // what to run, of what is unpacked; nil: what the entry says
	restore   *entry             // what the entry is again if it fails; nil: the new one stays
}

// deploy deploys beside what runs, which goes on if that fails. The caller has the
// turn. The error is a *Failure.
func (d *Deployer) deploy(ctx context.Context, a *app, w deployment) error {
	begun := time.Now()
	i := newInstance(a.name, d.log, d.changed)
	d.mu.Lock()
	a.entry, a.latest = w.entry, i
	d.mu.Unlock()
	d.changed()
	m, err := d.prepare(ctx, a, i, w)
	if err == nil && w.memory == nil && (m != a.memory || !w.entry.archive) {
		err = d.release(ctx, i)
	}
	if err == nil {
		err = d.start(ctx, a, i)
	}
	if err == nil && w.displaces {
		m.Previous, err = d.store.free(a.name)
	}
	if err == nil && m != a.memory {
		err = d.store.remember(a.name, m)
	}
	if err == nil && w.commit != nil {
		if err = w.commit(m); err != nil {
			err = errors.Join(err, d.store.remember(a.name, a.memory))
		}
	}
	if err != nil {
		return d.giveUp(ctx, a, i, m, w, err)
	}
	d.mu.Lock()
	a.memory = m
	d.mu.Unlock()
	i.become(Running, nil)
	d.use(a, i)
	i.log.Info("deployed", "type", i.found.about, "in", time.Since(begun).Round(time.Millisecond).String())
	return nil
}

// use sends the requests of a to i, nil for nobody, and drains who had them.
func (d *Deployer) use(a *app, i *instance) {
	d.mu.Lock()
	old := a.serving
	a.serving = i
	if i != nil {
		a.latest, a.retired = nil, false
	}
	if old != nil {
		a.drains++
	}
	d.publish(a.name.Path())
	d.mu.Unlock()
	d.changed()
	d.handProcesses(a, old, i)
	if old != nil {
		d.drain(a, old)
	}
}

// prepareProcesses prepares what runs beside an instance.
func (d *Deployer) prepareProcesses(i *instance) error {
	if len(i.app.Processes) == 0 {
		return nil
	}
	data, err := d.store.data(i.name, i.account)
	if err != nil {
		return err
	}
	i.processes, err = newProcesses(i.app.Processes, i.conditions(data), d.config.ProcessGrace, i.log, d.changed)
	return err
}

// handProcesses ends the processes beside one instance and, when they have ended,
// starts those of another. Either may be nil. The caller has the turn and is a
// task.
func (d *Deployer) handProcesses(a *app, from, to *instance) {
	if from != nil && from.processes != nil {
		d.tasks.Go(func() { from.processes.stop(d.grace) })
	}
	if to == nil || to.processes == nil {
		return
	}
	before := a.quiet
	a.quiet = to.processes.ended
	to.processes.begun.Store(true)
	d.tasks.Go(func() { to.processes.run(before) })
}

// drain ends an instance that is not in the routes any more when its requests
// have ended, in the background.
func (d *Deployer) drain(a *app, i *instance) {
	i.become(Draining, nil)
	i.inside.Shut()
	d.tasks.Go(func() { // the caller is a task: Close still waits
		ctx, cancel := context.WithTimeout(d.ctx, d.config.Drain)
		defer cancel()
		select {
		case <-i.inside.Empty():
		case <-ctx.Done():
		}
		if err := i.end(ctx); err != nil {
			i.log.Error("cannot end the application", "error", err)
		}
		d.leave(i)
		i.become(Stopped, nil)
		d.mu.Lock()
		a.drains--
		d.mu.Unlock()
		d.changed()
		i.closeCell()
	})
}

// prepare makes the folder ready, and finds out what is in it and whom it runs as.
func (d *Deployer) prepare(ctx context.Context, a *app, i *instance, w deployment) (memory, error) {
	var err error
	if i.account, err = d.accountNow(w); err != nil {
		return a.memory, err
	}
	m, err := d.place(ctx, a, i, w)
	if err != nil {
		return m, err
	}
	err = i.account.do(func() error {
		err := i.recognise(&d.config)
		if old := a.serving; err != nil && old != nil && old.found.kind == WSGI && old.dir == i.dir && errors.Is(err, detect.ErrNothing) {
			// Code that is broken may look like nothing; its import says more.
			i.found, err = old.found, nil
		}
		return err
	})
	if err == nil {
		err = i.openCell()
	}
	if err == nil {
		err = d.install(ctx, i)
	}
	if err == nil {
		err = d.prepareProcesses(i)
	}
	return m, err
}

// accountNow says whom the application of an entry runs as, as it lies there now.
// What is unpacked runs without its entry, as whom it did.
func (d *Deployer) accountNow(w deployment) (*Account, error) {
	e := w.entry
	who := e.owners
	if !e.received && d.config.Account != nil {
		_, now, err := d.config.look(e.name, e.path)
		switch {
		case err == nil:
			who = now
		case w.memory == nil || !errors.Is(err, os.ErrNotExist):
			return nil, err
		}
	}
	return d.config.accountOf(e.name, who)
}

// place has the instance's folder be there: where the entry leads, or where its
// archive is unpacked.
func (d *Deployer) place(ctx context.Context, a *app, i *instance, w deployment) (memory, error) {
	m := a.memory
	switch {
	case w.memory != nil:
		m = *w.memory
		if !d.store.isOf(a.name, m.Current, i.account) {
			return m, errors.New("what was unpacked before belongs to another user than the application runs as now")
		}
	case !w.entry.archive:
		if err := d.wouldLose(a, w); err != nil {
			return m, err
		}
		m.Print, m.Current, m.Previous = "", 0, 0
		// Where a link leads now: it may lead to another release when the old one
		// still runs.
		return m, i.account.do(func() (err error) {
			i.dir, err = filepath.EvalSymlinks(w.entry.path)
			return err
		})
	case m.Current != 0 && m.Print == w.entry.print() && d.store.isOf(a.name, m.Current, i.account):
	default:
		i.at(Unpacking)
		var err error
		if m, err = d.unpack(ctx, a, i, w); err != nil {
			return a.memory, err
		}
	}
	return m, i.account.do(func() error { i.dir = top(d.store.unpacked(a.name, m.Current)); return nil })
}

// wouldLose returns an error if what was deployed last of an archive has written
// files into its folder, which goes with it.
func (d *Deployer) wouldLose(a *app, w deployment) error {
	if a.memory.Current == 0 || w.discard {
		return nil
	}
	err := d.store.written(a.name, a.memory.Current)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return &hintError{err, "keep such files in the folder that " + DataVariable + " names; a deployment that discards them goes on"}
}

// unpack unpacks an archive that takes the place of what was unpacked before.
func (d *Deployer) unpack(ctx context.Context, a *app, i *instance, w deployment) (memory, error) {
	m := a.memory
	if err := d.wouldLose(a, w); err != nil {
		return m, err
	}
	if m.Current != 0 {
		if err := d.store.keep(a.name, m); err != nil {
			i.log.Warn("what was unpacked before stays", "error", err)
		}
	}
	f, err := w.entry.open(i.account)
	if err != nil {
		return m, err
	}
	defer f.Close()
	number, err := d.store.unpack(ctx, a.name, f, i.account, d.config.Limits)
	if err != nil {
		if e, ok := errors.AsType[*archive.Error](err); ok {
			e.Archive = w.entry.file // what was received has a name that nobody knows
		}
		return m, err
	}
	return memory{Print: w.entry.print(), Current: number, Previous: m.Current}, nil
}

// start starts what was prepared, unless its first request shall do so.
func (d *Deployer) start(ctx context.Context, a *app, i *instance) error {
	i.opens = func(ctx context.Context) (*opened, error) { return d.open(ctx, i) }
	if i.app.Lazy && i.found.kind == WSGI && (a.serving == nil || !a.serving.awake()) {
		return nil
	}
	i.at(Starting)
	_, err := i.wake(ctx)
	return err
}

// open opens an instance.
func (d *Deployer) open(ctx context.Context, i *instance) (*opened, error) {
	if i.found.kind == Static {
		return openStatic(i, i.log)
	}
	data, err := d.store.data(i.name, i.account)
	if err != nil {
		return nil, err
	}
	switch i.found.kind {
	case CGI:
		return openScripts(i, data, d, i.log)
	case Pages:
		return openPages(i, data, d, i.log)
	}
	done, err := d.takePlace(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return openPool(ctx, i, data, d.log)
}

// takePlace waits until one more application may load the machine, until done is
// called.
func (d *Deployer) takePlace(ctx context.Context) (done func(), err error) {
	select {
	case d.starts <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave := sync.OnceFunc(func() { <-d.starts })
	timer := time.AfterFunc(startHold, leave)
	return func() { timer.Stop(); leave() }, nil
}

// giveUp ends a deployment that has failed. If nothing runs, what ran before the
// server was started anew does again.
func (d *Deployer) giveUp(ctx context.Context, a *app, i *instance, m memory, w deployment, err error) error {
	_ = i.end(d.ctx) // err is what to tell
	i.closeCell()
	defer d.leave(i)
	if w.memory == nil && m.Current != a.memory.Current && m.Current != 0 {
		if err := d.store.drop(a.name, m.Current); err != nil {
			d.log.Warn("what was unpacked stays", "app", a.name.String(), "error", err)
		}
	}
	if d.loading.Err() != nil {
		return ErrClosed // nobody wants to know more
	}
	f := i.fail(Deploying, err)
	d.mu.Lock()
	if w.restore != nil {
		a.entry = w.restore
	}
	d.mu.Unlock()
	if a.serving == nil && w.memory == nil && a.memory.Current != 0 && a.memory.Print != w.entry.print() {
		d.fallBack(ctx, a, i)
	}
	return f
}

// fallBack starts what was deployed before, and leaves failed where people see
// it.
func (d *Deployer) fallBack(ctx context.Context, a *app, failed *instance) {
	i := newInstance(a.name, d.log, d.changed)
	_, err := d.prepare(ctx, a, i, deployment{entry: a.entry, memory: &a.memory})
	if err == nil {
		err = d.start(ctx, a, i)
	}
	if err != nil {
		_ = i.fail(Deploying, err)
		i.closeCell()
		d.leave(i)
		return
	}
	i.become(Running, nil)
	d.use(a, i)
	i.log.Info("the previous deployment goes on")
	d.mu.Lock()
	a.latest = failed
	d.mu.Unlock()
}

// remove makes a no application any more. The caller has the turn.
func (d *Deployer) remove(a *app) {
	d.mu.Lock()
	a.gone = true
	delete(d.apps, a.name)
	delete(d.dirty, a.name)
	d.mu.Unlock()
	d.use(a, nil)
	if err := d.store.forget(a.name); err != nil {
		d.log.Error("cannot remove what was unpacked", "app", a.name.String(), "error", err)
	}
}

// wake starts a lazy instance for a request that waits for it. The start belongs
// to everybody, and goes on when the client leaves.
func (d *Deployer) wake(ctx context.Context, i *instance) (*opened, error) {
	type result struct {
		opened *opened
		err    error
	}
	if !d.begin() {
		return nil, ErrClosed
	}
	woken := make(chan result, 1)
	go func() {
		defer d.tasks.Done()
		o, err := i.wake(d.loading)
		woken <- result{o, err}
	}()
	select {
	case r := <-woken:
		return r.opened, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
