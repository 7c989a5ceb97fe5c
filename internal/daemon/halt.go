package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What can be done to one of several applications by itself. Whoever does it has
// the turn of the sites.

// halt ends it until resume: visitors get 503. What they have asked before is
// answered, for patience at most.
func (a *app) halt(patience time.Duration) error {
	if a.halted.Load() != nil {
		return nil
	}
	now := time.Now()
	a.halted.Store(&now)
	a.failure.Store(nil)
	if err := a.route(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	ended := a.succeed(ctx, nil)
	a.drains.Go(func() {
		<-ended
		cancel()
	})
	return nil
}

// resume starts what was halted, as the configuration that is in force says. If
// that fails it stays halted.
func (a *app) resume(ctx context.Context, open func(context.Context, pyapp.Config) (pool, error)) error {
	if a.halted.Load() == nil {
		return nil
	}
	return a.try(func() error {
		p, err := open(ctx, a.config)
		if err != nil {
			return err
		}
		a.take(p)
		a.halted.Store(nil)
		return a.route()
	})
}

// renew loads its code again, beside that which runs and stays if the new is
// broken. What is halted is left alone.
func (a *app) renew(ctx context.Context) error {
	p := a.pool()
	if p == nil {
		return nil
	}
	return a.try(func() error {
		if err := p.Reload(ctx); err != nil {
			return err
		}
		return a.route()
	})
}

// try loads code, and notes how that went.
func (a *app) try(load func() error) error {
	a.loading.Store(true)
	a.tell()
	err := load()
	a.loading.Store(false)
	a.failure.Store(failureOf(err))
	a.tell()
	return err
}

// failureOf is why code could not be loaded, as whoever looks after an application
// is shown it; nil if it could.
func failureOf(err error) *webapps.Failure {
	if err == nil {
		return nil
	}
	f := &webapps.Failure{Err: err}
	if e, ok := errors.AsType[*pyapp.StartError](err); ok {
		f.Hint, f.Traceback = e.Hint, e.Traceback
	}
	return f
}
