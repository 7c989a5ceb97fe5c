package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/owncookies"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// routeKind is what a kind of route can do. Each kind has a file of its own.
type routeKind struct {
	// open makes the handler. What is to be closed when the tree that it belongs
	// to has been left, it gives to b.keep.
	open func(ctx context.Context, b *treeBuilder, at *routePlace) (http.Handler, error)
	// describe says in one clause what answers.
	describe func(at *routePlace) string
	// check looks at what open would need beyond the folders that are there, and
	// starts nothing; nil if there is nothing more.
	check func(ctx context.Context, at *routePlace) error
}

// kindOf is what a kind can do.
func kindOf(kind config.RouteKind) routeKind {
	switch kind {
	case config.KindStatic:
		return staticKind()
	case config.KindCGI:
		return cgiKind()
	case config.KindPages:
		return pagesKind()
	case config.KindApp:
		return appKind()
	case config.KindRedirect:
		return redirectKind()
	}
	return respondKind()
}

// routePlace is a route where it stands.
type routePlace struct {
	loaded *config.Loaded
	site   *config.Site
	route  *config.Route
	name   string // in Loaded.At
	dress  *dress // of its answers; nil where none are made
}

// prefix is what of a path comes before the name of a file in the route's folder.
// A route for one path alone is for the file of its last part.
func (at *routePlace) prefix() string {
	p := at.route.Path
	if p.Exact {
		return p.Prefix[:strings.LastIndexByte(p.Prefix, '/')+1]
	}
	return p.Prefix + "/"
}

// wrong is err as a problem of the file, at a key of the route.
func (at *routePlace) wrong(key string, err error) error {
	return &config.FileError{Problems: []config.Problem{at.loaded.At(at.name+"."+key, fmt.Sprintf("%s: %v", key, err))}}
}

// treeBuilder makes the handlers of a configuration.
type treeBuilder struct {
	ctx     context.Context
	sites   *sites
	apps    map[string]*app
	closers []io.Closer
	pages   []*pagescript.Handler
}

// keep has c closed with the tree.
func (b *treeBuilder) keep(c io.Closer) { b.closers = append(b.closers, c) }

// siteHandler answers for a site.
type siteHandler struct {
	table *router.Table
	dress *dress
}

// site makes the handler of the i-th site.
func (b *treeBuilder) site(l *config.Loaded, i int) (*siteHandler, error) {
	site := &l.Config.Sites[i]
	own, err := (&dress{rules: l.Config.Headers}).over(site.Headers, site.ErrorPages)
	if err != nil {
		return nil, err
	}
	h := &siteHandler{dress: own}
	ctx := context.WithValue(b.ctx, siteKey{}, http.Handler(h))
	var routes []router.Route
	for j := range site.Routes {
		at := &routePlace{loaded: l, site: site, route: &site.Routes[j], name: config.RouteName(i, j)}
		if at.dress, err = own.over(at.route.Headers, at.route.ErrorPages); err != nil {
			return nil, err
		}
		route, err := b.route(ctx, at)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	if rest := restOf(site); rest != nil {
		at := &routePlace{loaded: l, site: site, route: rest, name: config.SiteName(i), dress: own}
		route, err := b.route(ctx, at)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	if h.table, err = router.NewTable(routes); err != nil {
		return nil, fmt.Errorf("daemon: route: %w", err)
	}
	return h, nil
}

// siteKey is for the site's own handler in the context that its routes are opened
// with: scripts may redirect there.
type siteKey struct{}

// restOf is the route that a site's root makes, for all that its routes leave to
// it; nil if they leave nothing, or there is no root.
func restOf(site *config.Site) *config.Route {
	all := func(r config.Route) bool { return r.Path == (config.Pattern{}) && len(r.Methods) == 0 }
	if site.Root == "" || slices.ContainsFunc(site.Routes, all) {
		return nil
	}
	return &config.Route{Kind: config.KindStatic, Static: site.Static}
}

// route makes one.
func (b *treeBuilder) route(ctx context.Context, at *routePlace) (router.Route, error) {
	h, err := kindOf(at.route.Kind).open(ctx, b, at)
	if err != nil {
		return router.Route{}, err
	}
	prefix := at.route.Path.Prefix
	return router.Route{
		Prefix: prefix, Exact: at.route.Path.Exact, Methods: methodsOf(at.route), Handler: &routeHandler{h, at.dress},
	}, nil
}

// methodsOf are the methods that a route takes, nil for all that others leave to
// it. Files are only read: what else a client wants is for a shorter path, or 405.
func methodsOf(r *config.Route) []string {
	if len(r.Methods) == 0 && r.Kind == config.KindStatic {
		return []string{http.MethodGet}
	}
	return r.Methods
}

// routeHandler gives the answers of a route, or of all that is served, their dress.
type routeHandler struct {
	next  http.Handler
	dress *dress
}

// ServeHTTP implements http.Handler.
func (h *routeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w = h.dress.on(w)
	h.next.ServeHTTP(w, r)
	if d, ok := w.(*dressed); ok {
		d.apply() // a handler that writes nothing leaves the head to the server
	}
}

// ServeHTTP implements http.Handler.
func (h *siteHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = owncookies.Strip(r)
	if route := h.table.Find("", r.URL.Path, r.Method); route != nil {
		route.ServeHTTP(w, r)
		return
	}
	w = h.dress.on(w)
	allowed := h.table.Allowed("", r.URL.Path)
	if len(allowed) == 0 {
		errorpage.Write(w, r, http.StatusNotFound, "")
		return
	}
	w.Header().Set("Allow", allow(allowed))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	errorpage.Write(w, r, http.StatusMethodNotAllowed, "")
}

// allow is the field that says which methods are taken; what asks for it always is.
func allow(methods []string) string {
	if !slices.Contains(methods, http.MethodOptions) {
		methods = append(methods, http.MethodOptions)
	}
	return strings.Join(methods, ", ")
}

var (
	_ http.Handler = (*siteHandler)(nil)
	_ http.Handler = (*routeHandler)(nil)
)
