package daemon

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/internal/turnstile"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// tree is all handlers of a configuration. A reload makes another and closes this
// one when the last request has left it; applications are in both.
type tree struct {
	*turnstile.Turnstile
	hosts   *router.Table // site by host
	closers []io.Closer
	apps    map[string]*app
	pages   []*pagescript.Handler
}

// open makes the handlers of a configuration, whose applications are there.
func (s *sites) open(ctx context.Context, l *config.Loaded, apps map[string]*app) (_ *tree, err error) {
	b := &treeBuilder{ctx: ctx, sites: s, apps: apps}
	t := &tree{Turnstile: turnstile.New(), apps: apps}
	defer func() {
		t.closers, t.pages = b.closers, b.pages
		if err != nil {
			_ = t.close() // err is what to tell
		}
	}()
	var routes []router.Route
	for i := range l.Config.Sites {
		h, err := b.site(l, i)
		if err != nil {
			return nil, err
		}
		for _, host := range hostsOrAll(l.Config.Sites[i].Hosts) {
			routes = append(routes, router.Route{Host: host, Handler: h})
		}
	}
	if s.folder != nil {
		h := &routeHandler{s.folder, &dress{rules: l.Config.Headers}}
		for _, host := range hostsOrAll(l.Config.Webapps.Hosts) {
			routes = append(routes, router.Route{Host: host, Handler: h})
		}
	}
	t.hosts, err = router.NewTable(routes)
	return t, err
}

// ServeHTTP implements http.Handler.
func (t *tree) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if site := t.hosts.Lookup(r.Host, "/"); site != nil {
		site.ServeHTTP(w, r)
		return
	}
	errorpage.Write(w, r, http.StatusNotFound, "There is no site of that name here.")
}

// close closes what is the tree's own.
func (t *tree) close() error {
	var errs []error
	for _, c := range slices.Backward(t.closers) {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

var _ http.Handler = (*tree)(nil)
