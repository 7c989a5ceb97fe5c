package config

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/spelling"
)

// note remembers where something stands in the file.
func (d *decoder) note(name string, at position) {
	d.origins[name] = Origin{File: d.file.path, Line: at.line, Column: at.column}
}

// apps reads the tables [apps.NAME].
func (d *decoder) apps(n *node) {
	if n.kind != Table {
		d.wrong(n.at, "apps: expected a table for each application, such as [apps.blog], got %s", n.describe())
		return
	}
	for _, name := range n.names {
		child := n.child(name)
		switch {
		case child.kind != Table:
			d.wrong(child.key, "%s: expected a table for each application, such as [apps.blog], got %s", quoted(name), child.describe())
		case d.inFolder(name, child): // whether there is an application of that name nobody here can know
			d.config.Apps = append(d.config.Apps, d.override(name, child))
		case !isAppName(name):
			d.wrong(child.key, "%s is no name of an application; use letters, digits, - and _", quoted(name))
		default:
			d.config.Apps = append(d.config.Apps, d.app(name, child))
		}
	}
}

// inFolder reports whether a table is about an application in the folder of them:
// no route leads to one of that name, nor has it a folder of its own.
func (d *decoder) inFolder(name string, n *node) bool {
	return d.led == nil || d.hasFolder() && !d.led[name] && n.child("dir") == nil
}

// ledTo are the names of applications that routes lead to, as far as they can be
// read: what is wrong with sites is told elsewhere.
func ledTo(sites *node) map[string]bool {
	names := map[string]bool{}
	for _, site := range sites.items {
		routes := site.child("routes")
		if routes == nil {
			continue
		}
		for _, route := range routes.items {
			if app := route.child(string(KindApp)); app != nil {
				names[app.text] = true
			}
		}
	}
	return names
}

// override reads what is said of one application in a folder of them. It is in
// that folder, and answers where its name says.
func (d *decoder) override(name string, n *node) NamedApp {
	usual := Default()
	app := NamedApp{Name: name, InFolder: true}
	h := &holder{config: &Config{App: usual.App, CGI: usual.CGI, Pages: usual.Pages}, app: &app}
	d.within(appsTable, "apps."+name, n, h)
	for _, key := range []string{"dir", "mount"} {
		if child := n.child(key); child != nil {
			d.wrong(child.key, "%s: it is for applications that routes of [[sites]] lead to, and none leads to this one; one in webapps lies and answers where its name says", key)
		}
	}
	app.App, app.CGI, app.Pages = h.config.App, h.config.CGI, h.config.Pages
	return app
}

// isAppName reports whether a name needs no quotes in TOML and no escapes
// anywhere else.
func isAppName(name string) bool {
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// app reads one of them. What it does not say is as [app] has it.
func (d *decoder) app(name string, n *node) NamedApp {
	app := NamedApp{Name: name, App: d.config.App.forRouted()}
	app.App.Env = slices.Clone(app.App.Env)
	app.App.AccelRedirect = maps.Clone(app.App.AccelRedirect)
	if env := n.child("env"); env != nil && env.kind == Table {
		app.App.Env = slices.DeleteFunc(app.App.Env, func(v Variable) bool { return env.child(v.Name) != nil })
	}
	h := &holder{config: &Config{App: app.App}, app: &app}
	d.within(appsTable, "apps."+name, n, h)
	for _, key := range n.names {
		if s := d.schema[appsTable][key]; s != nil && s.ForWebapps() {
			d.wrong(n.child(key).key, "%s: %s", key, s.onlyInFolder("routes lead to this one"))
		}
	}
	app.App = h.config.App
	if app.Dir == "" {
		app.Dir = under(d.file.dir, name)
		d.note("apps."+name+".dir", n.key)
	}
	return app
}

// within reads the keys of one table, but for arrays of tables in it.
func (d *decoder) within(table, path string, n *node, h *holder) {
	d.note(path, n.key)
	for _, key := range n.names {
		if len(d.failed.Problems) >= enough {
			return
		}
		child := n.child(key)
		s := d.schema[table][key]
		switch {
		case table == sitesTable && key == "routes":
		case s == nil:
			d.unknownWithin(table, path, key, child)
		default:
			d.path = path
			d.put(s, s.within(h), path+"."+key, child)
		}
	}
}

// unknownWithin says what may have been meant.
func (d *decoder) unknownWithin(table, path, key string, n *node) {
	label := map[string]string{appsTable: "[" + path + "]", sitesTable: "[[sites]]", routesTable: "[[sites.routes]]"}
	what := fmt.Sprintf("unknown key %s in %s", quoted(key), label[table])
	for _, home := range []string{"", "limits", "manager", "log", sitesTable, routesTable} {
		if d.schema[home][key] == nil {
			continue
		}
		switch where := label[home]; {
		case home == "":
			d.wrong(n.key, "%s; it belongs above all tables", what)
		case where != "":
			d.wrong(n.key, "%s; it belongs in %s", what, where)
		default:
			d.wrong(n.key, "%s; it belongs in %s", what, d.label(home))
		}
		return
	}
	names := slices.Sorted(maps.Keys(d.schema[table]))
	if table == sitesTable {
		names = append(names, "routes")
	}
	if near := spelling.Nearest(key, names); near != "" {
		d.wrong(n.key, "%s; did you mean %q?", what, near)
		return
	}
	if d.schema[appsTable][key] != nil {
		what += "; it belongs in [apps.NAME]"
	}
	d.wrong(n.key, "%s", what)
}

// sites reads the tables [[sites]].
func (d *decoder) sites(owners hostOwners, n *node) {
	items, ok := n.tables()
	if !ok || len(items) == 0 {
		d.wrong(n.at, "sites: expected an array of tables, [[sites]], got %s", n.describe())
		return
	}
	for i, item := range items {
		if len(d.failed.Problems) >= enough {
			return
		}
		site := d.site(SiteName(i), item)
		d.claim(owners, site.Hosts, item)
		d.config.Sites = append(d.config.Sites, site)
	}
	d.mounts()
}

// site reads one of them.
func (d *decoder) site(path string, n *node) Site {
	site := Site{Static: siteStatic()}
	h := &holder{config: &Config{Static: site.Static}, site: &site}
	d.within(sitesTable, path, n, h)
	site.Static = h.config.Static
	routes := n.child("routes")
	if routes == nil {
		if site.Root == "" && n.child("root") == nil {
			d.wrong(n.key, "sites: a site needs root = \"FOLDER\" or [[sites.routes]]; it has neither")
		}
		return site
	}
	items, ok := routes.tables()
	if !ok || len(items) == 0 {
		d.wrong(routes.at, "routes: expected an array of tables, [[sites.routes]], got %s", routes.describe())
		return site
	}
	taken := collisions{}
	for _, item := range items {
		if len(d.failed.Problems) >= enough {
			return site
		}
		// Numbered among those that are used, so that the number finds its origins.
		if route, ok := d.route(fmt.Sprintf("%s.routes[%d]", path, len(site.Routes)), item, &site); ok {
			taken.claim(d, &route, item)
			site.Routes = append(site.Routes, route)
		}
	}
	d.loops(path, &site)
	return site
}

// siteStatic is how a site's files are served where it does not say.
func siteStatic() Static {
	static := Default().Static
	static.Listing = false // it is for whoever points the command at a folder
	return static
}

// route reads one table [[sites.routes]]; false if it is not to be used.
func (d *decoder) route(path string, n *node, site *Site) (Route, bool) {
	before := len(d.failed.Problems)
	route := Route{Kind: d.kindOf(n, site)}
	h := &holder{config: &Config{Static: site.Static, CGI: Default().CGI, Pages: Default().Pages}, route: &route}
	d.within(routesTable, path, n, h)
	route.Static, route.CGI, route.Pages = h.config.Static, h.config.CGI, h.config.Pages
	for _, key := range slices.Sorted(maps.Keys(d.schema[routesTable])) {
		s, child := d.schema[routesTable][key], n.child(key)
		switch {
		case child == nil && s.Required:
			d.wrong(n.key, "%s: a route must have one, such as %s = \"/docs/\"", key, key)
		case child != nil && route.Kind != "" && s.Kind == "" && !s.concerns(route.Kind):
			d.wrong(child.key, "%s: it has no effect in a route that is %s", key, kindPhrase(route.Kind))
		}
	}
	d.status(&route, n)
	return route, len(d.failed.Problems) == before
}

// kindPhrase is what a route of that kind is.
func kindPhrase(kind RouteKind) string {
	switch kind {
	case KindStatic:
		return "for files (static)"
	case KindCGI:
		return "for scripts (cgi)"
	case KindPages:
		return "for page scripts (pages)"
	case KindApp:
		return "for an application (app)"
	case KindRedirect:
		return "a redirect"
	}
	return "a fixed answer (respond)"
}

// kindOf is the kind of the route that n describes.
func (d *decoder) kindOf(n *node, site *Site) RouteKind {
	var kind RouteKind
	var first *node
	for _, key := range n.names {
		s := d.schema[routesTable][key]
		if s == nil || s.Kind == "" {
			continue
		}
		if first != nil {
			d.wrong(n.child(key).key, "%s: this route is %s already (line %d); a route has one of %s", key, kindPhrase(kind), first.key.line, kindKeys())
			continue
		}
		kind, first = s.Kind, n.child(key)
	}
	switch {
	case kind != "":
	case n.child("status") != nil:
		return KindRespond
	case site.Root != "":
		return KindStatic // the site's own files, under other rules
	default:
		d.wrong(n.key, "routes: nothing says what answers; expected one of %s, or a root of the site", kindKeys())
	}
	return kind
}

// kindKeys are the keys that say what answers.
func kindKeys() string {
	var keys []string
	for _, s := range siteSettings() {
		if s.Kind != "" {
			keys = append(keys, s.Key())
		}
	}
	return strings.Join(keys, ", ")
}

// status checks what only both, kind and status, can tell.
func (d *decoder) status(r *Route, n *node) {
	child := n.child("status")
	if child == nil || r.Status == 0 {
		return
	}
	switch r.Kind {
	case KindRedirect:
		if !slices.Contains([]int{301, 302, 303, 307, 308}, r.Status) {
			d.wrong(child.at, "status: %d is none of a redirect; expected 301, 302, 303, 307 or 308", r.Status)
		}
	case KindRespond:
		bodyless := r.Status == http.StatusNoContent || r.Status == http.StatusNotModified
		switch {
		case r.Status >= 300 && r.Status < 400:
			d.wrong(child.at, "status: %d is of answers that lead elsewhere; use redirect", r.Status)
		case bodyless && r.Respond != "":
			d.wrong(child.at, "status: %d has no text; leave respond out", r.Status)
		}
	}
}

// collisions are the routes of a site by path.
type collisions map[Pattern][]claimed

type claimed struct {
	methods []string
	line    int
}

// claim reports a route for requests that one before it takes.
func (c collisions) claim(d *decoder, r *Route, n *node) {
	at := n.child("path").at
	for _, other := range c[r.Path] {
		if len(r.Methods) == 0 && len(other.methods) == 0 {
			d.wrong(at, "path: %q collides with the route of line %d; say methods in one of them, or keep one", r.Path, other.line)
			return
		}
		for _, method := range r.Methods {
			if slices.Contains(other.methods, method) {
				d.wrong(at, "path: %q collides with the route of line %d; both take %s", r.Path, other.line, method)
				return
			}
		}
	}
	c[r.Path] = append(c[r.Path], claimed{r.Methods, n.key.line})
}

// loops reports redirects within a site that never lead anywhere.
func (d *decoder) loops(path string, s *Site) {
	index := newRouteIndex(s)
	for i := range s.Routes {
		r := &s.Routes[i]
		if r.Kind != KindRedirect || len(r.Methods) > 0 && !r.Takes(http.MethodGet) {
			continue
		}
		// A folder is tried with the folder itself and with something in it.
		for _, probe := range []string{r.Path.String(), strings.TrimSuffix(r.Path.String(), "/") + "/x"} {
			if r.Path.Exact && probe != r.Path.String() {
				continue
			}
			if chain := index.follow(r, probe); chain != "" {
				o := d.origins[fmt.Sprintf("%s.routes[%d].redirect", path, i)]
				d.wrong(position{o.Line, o.Column}, "redirect: it leads back to itself: %s", chain)
				break
			}
		}
	}
}

// maxHops is more redirects than browsers follow.
const maxHops = 20

// follow is the way from path by the site's redirects, if r is on it again.
func (x routeIndex) follow(r *Route, path string) string {
	chain := []string{path}
	for at := r; len(chain) <= maxHops; {
		target := at.Target(path)
		if !strings.HasPrefix(target, "/") {
			return ""
		}
		path, _, _ = strings.Cut(target, "?")
		path, _, _ = strings.Cut(path, "#")
		chain = append(chain, path)
		at = x.match(path, http.MethodGet)
		if at == r {
			break
		}
		if at == nil || at.Kind != KindRedirect {
			return ""
		}
	}
	return strings.Join(chain, " -> ")
}

// routeIndex are a site's routes by path. It is for looking at a configuration;
// requests are routed by package router, in the same order.
type routeIndex map[Pattern][]*Route

func newRouteIndex(s *Site) routeIndex {
	x := routeIndex{}
	for i := range s.Routes {
		r := &s.Routes[i]
		x[r.Path] = append(x[r.Path], r)
	}
	return x
}

// match is the route for a path and a method, nil if there is none: the longest
// path whose methods include it.
func (x routeIndex) match(path, method string) *Route {
	if r := x.take(Pattern{path, true}, method); r != nil {
		return r
	}
	for prefix := path; ; {
		if r := x.take(Pattern{prefix, false}, method); r != nil || prefix == "" {
			return r
		}
		prefix = prefix[:max(strings.LastIndexByte(prefix, '/'), 0)]
	}
}

// take is the route of a path that takes the method; one that names it is first.
func (x routeIndex) take(p Pattern, method string) (found *Route) {
	for _, r := range x[p] {
		if r.Takes(method) && (found == nil || len(r.Methods) > 0) {
			found = r
		}
	}
	return found
}

// Matches reports whether a path is one of the pattern's.
func (p Pattern) Matches(path string) bool {
	if p.Exact {
		return path == p.Prefix
	}
	rest, ok := strings.CutPrefix(path, p.Prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// mounts finds the applications that routes name, and decides what each is
// mounted at.
func (d *decoder) mounts() {
	var names []string
	byName := map[string]*NamedApp{}
	for i := range d.config.Apps {
		if app := &d.config.Apps[i]; !app.InFolder {
			names = append(names, app.Name)
			byName[app.Name] = app
		}
	}
	shortest := map[string]Pattern{}
	for i := range d.config.Sites {
		for j := range d.config.Sites[i].Routes {
			r := &d.config.Sites[i].Routes[j]
			if r.Kind != KindApp {
				continue
			}
			o := d.origins[RouteName(i, j)+".app"]
			at := position{o.Line, o.Column}
			app := byName[r.App]
			if app == nil {
				d.unknownApp(at, r.App, names)
				continue
			}
			home, seen := shortest[r.App]
			switch {
			case !seen || home.Matches(r.Path.Prefix):
				if !seen {
					shortest[r.App] = r.Path
				}
			case r.Path.Matches(home.Prefix):
				shortest[r.App] = r.Path
			case app.Mount == "":
				d.wrong(at, "app: %q has routes at %s and %s; say in [apps.%s] which part of the path it is mounted at, mount = \"/\" for none", r.App, home, r.Path, r.App)
			}
		}
	}
	for i := range d.config.Apps {
		app := &d.config.Apps[i]
		if app.InFolder {
			continue
		}
		home, routed := shortest[app.Name]
		o := d.origins["apps."+app.Name]
		at := position{o.Line, o.Column}
		switch {
		case !routed && len(d.failed.Problems) > 0: // its route may be one that is wrong
		case !routed:
			d.wrong(at, "apps: no route leads to %q; add one with app = %q, or remove the table", app.Name, app.Name)
		case app.Mount == "" && home.Exact:
			app.Mount = "/"
		case app.Mount == "":
			app.Mount = home.Prefix
		}
		if app.Mount == "" {
			app.Mount = "/"
		}
	}
}

func (d *decoder) unknownApp(at position, name string, names []string) {
	if near := spelling.Nearest(name, names); near != "" {
		d.wrong(at, "app: no application is called %s; did you mean %q?", quoted(name), near)
		return
	}
	d.wrong(at, "app: no application is called %s; it needs a table [apps.NAME]", quoted(name))
}
