package daemon

import (
	"context"
	"sync"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

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
