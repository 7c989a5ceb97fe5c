package pagescript

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

const (
	// retryFailed is after what time a page that could not be loaded is tried again,
	// though neither it nor a module beside it has changed: what it lacks may lie
	// elsewhere.
	retryFailed = 5 * time.Second
	// maxLoads is how often a request has a page loaded that changes meanwhile.
	maxLoads = 10
	// endWait is how long idle workers may take to end.
	endWait = 5 * time.Second
)

// applications are the pages with an application that have been asked for. Each is
// a pool of its own: what one does to its interpreter is no other's affair.
type applications struct {
	config  *Config
	folders folders
	ctx     context.Context // ends when everything is to end at once
	cancel  context.CancelFunc
	sweeps  sync.WaitGroup // the sweeper
	ends    sync.WaitGroup // counts versions until they have ended

	mu      sync.Mutex
	current map[string]*version // by path
	all     map[*version]struct{}
	freed   chan struct{} // closed, and made anew, when a version has lost its last user
	closed  bool
}

func newApplications(config *Config) *applications {
	a := &applications{config: config, folders: folders{user: config.Scripts.User}, current: map[string]*version{}, all: map[*version]struct{}{}, freed: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	if config.Idle > 0 {
		a.sweeps.Go(a.sweep)
	}
	return a
}

// acquire returns the version of the page as it is now, loaded. The caller calls
// release. Whoever comes while it is being loaded waits for it: once somebody has
// seen a change, nobody gets what was before.
func (a *applications) acquire(ctx context.Context, p *page) (*version, error) {
	var patience <-chan time.Time
	if wait := a.config.Applications.QueueWait; wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		patience = t.C
	}
	for loads := 0; ; {
		v, wait, err := a.take(p)
		switch {
		case errors.Is(err, errNoRoom):
			select {
			case <-wait:
				continue
			case <-patience:
				return nil, err
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case err != nil:
			return nil, err
		case v == nil:
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		select {
		case <-v.opened:
		case <-ctx.Done():
			a.release(v)
			return nil, ctx.Err()
		}
		if v.err == nil {
			return v, nil
		}
		a.release(v)
		// It may have been loaded while it was being written, or a module was.
		if loads++; loads >= maxLoads || !a.outdated(v) {
			return nil, v.err
		}
	}
}

// take returns the version of the page as it is now, with the caller as a user; it
// may be loading. Without a version the channel says when to ask again: another one
// is being loaded, which happens to one version of a page at a time, or there is no
// room, which is errNoRoom.
func (a *applications) take(p *page) (*version, <-chan struct{}, error) {
	beside := a.folders.look(p.dir(), recheck)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, nil, errClosed
	}
	v := a.current[p.path]
	if v != nil && v.beside == beside && filestate.Same(v.file, p.info) && !a.isDue(v) {
		v.users++
		return v, nil, nil
	}
	// What the request has seen may be older than what another one has seen.
	file, err := a.lstat(p.path)
	if err != nil || !file.Mode().IsRegular() {
		return nil, nil, errGone
	}
	beside = a.folders.look(p.dir(), 0)
	if v != nil && v.beside == beside && filestate.Same(v.file, file) && !a.isDue(v) {
		v.users++
		return v, nil, nil
	}
	if v != nil && v.loading() {
		return nil, v.opened, nil
	}
	if !a.makeRoom(p.path) {
		return nil, a.freed, errNoRoom
	}
	if v != nil {
		a.retire(v)
	}
	v = &version{path: p.path, name: p.name, file: file, beside: beside, opened: make(chan struct{}), users: 1, used: time.Now()}
	a.current[p.path], a.all[v] = v, struct{}{}
	a.ends.Add(1)
	go a.load(v)
	return v, nil, nil
}

// lstat looks at a page with the rights of whom it runs as.
func (a *applications) lstat(path string) (info fs.FileInfo, err error) {
	err = a.config.Scripts.User.Do(func() error {
		info, err = os.Lstat(path)
		return err
	})
	return info, err
}

// isDue reports whether a version that has failed is to be tried again.
func (a *applications) isDue(v *version) bool {
	return v.failed() && time.Since(v.loaded) > retryFailed
}

// outdated reports whether the page, or a module beside it, is not any more what
// was loaded.
func (a *applications) outdated(v *version) bool {
	file, err := a.lstat(v.path)
	beside := a.folders.look(filepath.Dir(v.path), 0)
	return err != nil || !filestate.Same(file, v.file) || beside != v.beside
}

// load loads a version, and writes to the log what is wrong with it.
func (a *applications) load(v *version) {
	a.settle(v)
	v.load(a.ctx, a.config.Applications)
	if v.err == nil || a.ctx.Err() != nil || a.outdated(v) {
		return
	}
	attrs := []any{"page", v.path, "error", v.err}
	if start, ok := errors.AsType[*pyapp.StartError](v.err); ok {
		if start.Hint != "" {
			attrs = append(attrs, "hint", start.Hint)
		}
		if start.Traceback != "" {
			attrs = append(attrs, "traceback", start.Traceback)
		}
	}
	a.config.Applications.Log.Error("cannot load a page", attrs...)
}

// settle waits until the modules beside the page are saved, and has the version be
// that of the page as it is then.
func (a *applications) settle(v *version) {
	dir := filepath.Dir(v.path)
	for range maxSettling {
		wait := untilSettled(a.folders.newest(dir))
		if wait == 0 {
			break
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-a.ctx.Done():
			t.Stop()
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if file, err := a.lstat(v.path); err == nil {
		v.file = file
	}
	v.beside = a.folders.look(dir, 0)
}

// makeRoom reports whether one more page may have processes; the page at path has
// its place already, if it is there. a.mu is held.
func (a *applications) makeRoom(path string) bool {
	var idlest *version
	n := 0
	for at, v := range a.current {
		if at == path || v.failed() {
			continue
		}
		n++
		if v.users == 0 && (idlest == nil || v.used.Before(idlest.used)) {
			idlest = v
		}
	}
	switch {
	case n < a.config.MaxApplications:
		return true
	case idlest == nil:
		return false
	}
	a.retire(idlest)
	return true
}

// release ends a use of the version.
func (a *applications) release(v *version) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v.users--
	if v.users > 0 {
		return
	}
	v.used = time.Now()
	if v.retired {
		a.end(v)
	}
	close(a.freed)
	a.freed = make(chan struct{})
}

// retire lets nobody have the version any more. a.mu is held.
func (a *applications) retire(v *version) {
	v.retired = true
	if a.current[v.path] == v {
		delete(a.current, v.path)
	}
	if v.users == 0 {
		a.end(v)
	}
}

// end ends the version's processes. a.mu is held.
func (a *applications) end(v *version) {
	if v.ending {
		return
	}
	v.ending = true
	delete(a.all, v)
	go func() {
		defer a.ends.Done()
		<-v.opened
		if v.pool == nil {
			return
		}
		ctx, cancel := context.WithTimeout(a.ctx, endWait)
		defer cancel()
		_ = v.pool.Shutdown(ctx) // what has not ended in time has been ended
	}()
}

// sweep ends versions that nobody has used for long.
func (a *applications) sweep() {
	ticker := time.NewTicker(max(a.config.Idle/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case now := <-ticker.C:
			a.mu.Lock()
			for _, v := range a.current {
				if v.users == 0 && now.Sub(v.used) >= a.config.Idle {
					a.retire(v)
				}
			}
			a.mu.Unlock()
		}
	}
}

// refresh has every page loaded anew that is asked for from now on.
func (a *applications) refresh() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range a.current {
		a.retire(v)
	}
}

// shutdown ends all versions: those without users calmly, until ctx ends, and then
// all that are left. It returns when they have ended.
func (a *applications) shutdown(ctx context.Context) {
	a.mu.Lock()
	a.closed = true
	for _, v := range a.current {
		a.retire(v)
	}
	a.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		a.cancel()
		a.mu.Lock()
		defer a.mu.Unlock()
		for v := range a.all {
			a.end(v)
		}
	})
	a.ends.Wait()
	stop()
	a.cancel()
	a.sweeps.Wait()
}

// running are all versions that have users or may get some. Of one that is being
// loaded nothing runs yet but the import.
func (a *applications) running() []*version {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*version
	for _, v := range a.current {
		if !v.loading() && v.pool != nil {
			all = append(all, v)
		}
	}
	return all
}

// stacks asks the workers of all versions that run.
func (a *applications) stacks(ctx context.Context) map[string][]pyapp.WorkerStacks {
	all := map[string][]pyapp.WorkerStacks{}
	for _, v := range a.running() {
		all[v.name] = v.pool.Stacks(ctx)
	}
	return all
}
