package daemon

import (
	"context"
	"slices"
	"strings"
	"time"
)

// reload reloads s once and says how it went. What faces the clients is made ready
// before, so that a port that is taken changes nothing either.
func (d *daemon) reload(ctx context.Context, s site) (done reloaded, err error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	begun := time.Now()
	done, err = d.exchange(ctx, s)
	switch {
	case err != nil && ctx.Err() != nil:
		return done, ctx.Err() // we are ending; nobody wants to know
	case err != nil:
		d.screen.failure(err)
		d.screen.line("", "%s", s.fallback())
		return done, err
	}
	for _, err := range done.kept {
		d.screen.failure(err)
	}
	if len(done.kept) > 0 {
		d.screen.line("", "there the old version goes on serving; all else is new")
	}
	for _, addr := range done.opened {
		d.screen.line("listening", "%s", addr.url)
	}
	d.screen.line("reloaded", "in %s", seconds(time.Since(begun)))
	if len(done.restart) > 0 {
		d.screen.line("warning", "changed, but needs a restart: %s", strings.Join(done.restart, ", "))
	}
	if slices.ContainsFunc(done.opened, func(a address) bool { return a.open }) {
		d.reach(done.opened)
	}
	d.warn(s)
	return done, nil
}

// reloaded is what came of a reload.
type reloaded struct {
	kept    []error   // parts that stay as they were, and why
	opened  []address // where people can reach the site that could not before
	restart []string  // keys of settings whose new values need a restart
}

// exchange reads the configuration and takes it in, all of it or nothing.
func (d *daemon) exchange(ctx context.Context, s site) (done reloaded, err error) {
	l, err := s.configuration()
	if err != nil {
		return done, err
	}
	if l == nil {
		done.kept, err = s.reload(ctx, nil)
		return done, err
	}
	next, err := d.front.prepare(l)
	if err != nil {
		return done, err
	}
	if done.kept, err = s.reload(ctx, l); err != nil {
		next.discard()
		return done, err
	}
	done.opened, done.restart = next.commit(s)
	return done, nil
}
