package daemon

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Question is a request whose answer is to be explained.
type Question struct {
	URL    string // or a path alone
	Method string // "" for GET
}

// ExplainURL writes which route of p's configuration answers a request, and why.
// It finds the route as a running server does. Nothing is started.
func ExplainURL(p Project, q Question, w io.Writer) error {
	u, err := q.parse()
	if err != nil {
		return err
	}
	located, err := p.locate()
	if err != nil {
		return err
	}
	l, err := located.load()
	if err != nil {
		return err
	}
	e := &explanation{w: w, loaded: l, url: u, method: cmp.Or(q.Method, http.MethodGet)}
	folder := located.webapps(l)
	if len(l.Config.Sites) == 0 && folder == "" {
		e.row("answers", "the application, or the static files that it declares; %s has no [[sites]]", cmp.Or(l.File, "the project"))
		return e.err
	}
	if e.folder, err = severalOnly(located, l, folder); err != nil {
		return err
	}
	if err := e.sites(); err != nil {
		return err
	}
	return e.err
}

// parse reads the URL.
func (q Question) parse() (*url.URL, error) {
	u, err := url.Parse(q.URL)
	if err != nil || u.Host == "" && !strings.HasPrefix(q.URL, "/") || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return nil, &Error{Err: fmt.Errorf("%q is no URL; write http://example.org/path, or /path for a host that no site has", q.URL), Usage: true}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// explanation is one that is being written.
type explanation struct {
	w      io.Writer
	loaded *config.Loaded
	folder string // of applications; "" if there is none
	url    *url.URL
	method string
	err    error // of writing
}

// row writes one line.
func (e *explanation) row(label, format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, "%-*s%s\n", labelWidth, label, printable(fmt.Sprintf(format, args...)))
	}
}

// signpost is a handler that leads nowhere: it stands in a table for a site or a
// route, or for the folder of applications or one of them.
type signpost struct {
	at  *routePlace      // nil for what is in the folder
	app *webapps.Finding // nil for the folder itself
}

// ServeHTTP implements http.Handler.
func (signpost) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// sites finds the site, then its route.
func (e *explanation) sites() error {
	c := &e.loaded.Config
	var hosts []router.Route
	for i := range c.Sites {
		for _, host := range hostsOrAll(c.Sites[i].Hosts) {
			hosts = append(hosts, router.Route{Host: host, Handler: signpost{at: &routePlace{loaded: e.loaded, site: &c.Sites[i], name: config.SiteName(i)}}})
		}
	}
	if e.folder != "" {
		for _, host := range hostsOrAll(c.Webapps.Hosts) {
			hosts = append(hosts, router.Route{Host: host, Handler: signpost{}})
		}
	}
	table, err := router.NewTable(hosts)
	if err != nil {
		return fmt.Errorf("daemon: route: %w", err)
	}
	found, ok := table.Lookup(e.url.Host, "/").(signpost)
	if !ok {
		e.row("site", "none: no site has the host %s, and none is for every host", e.url.Hostname())
		e.row("answers", "404")
		return nil
	}
	if found.at == nil {
		e.row("site", "the folder of applications %s, %s", e.folder, e.why(c.Webapps.Hosts))
		return e.app()
	}
	e.site(found.at)
	return e.route(found.at)
}

// hostsOrAll is hosts as a table has them.
func hostsOrAll(hosts []string) []string {
	if len(hosts) == 0 {
		return []string{""}
	}
	return hosts
}

// site says why it is this one.
func (e *explanation) site(at *routePlace) {
	e.row("site", "%s, %s", e.place(at.name, ""), e.why(at.site.Hosts))
}

// why says by which of its hosts a site is found.
func (e *explanation) why(hosts []string) string {
	switch host := e.hostOf(hosts); {
	case host != "":
		return "its host " + host
	case len(e.loaded.Config.Sites) == 0:
		return "it is for every host"
	}
	return "it is for every host that no other site has"
}

// app finds the application in the folder of them, by a table like the server's.
// Which of several versions answers depends on the visitor.
func (e *explanation) app() error {
	found, err := inspectWebapps(e.loaded, e.folder)
	if err != nil {
		return err
	}
	paths := map[string]*webapps.Finding{}
	var routes []router.Route
	for i := range found {
		f := &found[i]
		if !isApp(f) {
			continue
		}
		if paths[f.Name.Path()] == nil {
			routes = append(routes, router.Route{Prefix: f.Name.Prefix(), Handler: signpost{app: f}})
		}
		paths[f.Name.Path()] = f
	}
	table, err := router.NewTable(routes)
	if err != nil {
		return fmt.Errorf("daemon: route: %w", err)
	}
	post, ok := table.Lookup("", e.url.Path).(signpost)
	if !ok {
		e.row("route", "none: no application in the folder is for %s", e.url.Path)
		e.row("answers", "404")
		return nil
	}
	f := paths[post.app.Name.Path()] // the newest version
	e.row("route", "%s, the longest path of an application that fits", f.Name.Path())
	if f.Err != nil {
		e.row("answers", "503: %v", f.Err)
	} else {
		e.row("answers", "%s, %s", f.About, filepath.Join(e.folder, f.Entry))
	}
	e.headers(e.loaded.Config.Headers)
	return nil
}

// hostOf is the one of a site's hosts that the URL's is.
func (e *explanation) hostOf(hosts []string) string {
	name := strings.ToLower(strings.TrimSuffix(e.url.Hostname(), "."))
	if slices.Contains(hosts, name) {
		return name
	}
	best := ""
	for _, host := range hosts {
		if parent, wild := strings.CutPrefix(host, "*"); wild && strings.HasSuffix(name, parent) && len(host) > len(best) {
			best = host
		}
	}
	return best
}

// place is where something stands in the file.
func (e *explanation) place(name, key string) string {
	if key != "" {
		name += "." + key
	}
	p := e.loaded.At(name, "")
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// route finds it by a table like the server's, and says why.
func (e *explanation) route(at *routePlace) error {
	var i int
	if _, err := fmt.Sscanf(at.name, "sites[%d]", &i); err != nil {
		return fmt.Errorf("daemon: %w", err)
	}
	var routes []router.Route
	for j := range at.site.Routes {
		r := &at.site.Routes[j]
		routes = append(routes, router.Route{
			Prefix: r.Path.Prefix, Exact: r.Path.Exact, Methods: methodsOf(r),
			Handler: signpost{at: &routePlace{loaded: e.loaded, site: at.site, route: r, name: config.RouteName(i, j)}},
		})
	}
	if rest := restOf(at.site); rest != nil {
		routes = append(routes, router.Route{Methods: methodsOf(rest), Handler: signpost{at: &routePlace{loaded: e.loaded, site: at.site, route: rest, name: at.name}}})
	}
	table, err := router.NewTable(routes)
	if err != nil {
		return fmt.Errorf("daemon: route: %w", err)
	}
	found, ok := table.Find("", e.url.Path, e.method).(signpost)
	if !ok {
		e.refusal(table.Allowed("", e.url.Path))
		return nil
	}
	e.passedOver(found.at, at.site, i)
	e.answer(found.at)
	return nil
}

// refusal says that no route answers.
func (e *explanation) refusal(allowed []string) {
	if len(allowed) == 0 {
		e.row("route", "none: no route of the site is for %s, and it has no root", e.url.Path)
		e.row("answers", "404")
		return
	}
	e.row("route", "none: the routes for %s are for other methods than %s", e.url.Path, e.method)
	if e.method == http.MethodOptions {
		e.row("answers", "204 with Allow: %s", allow(allowed))
		return
	}
	e.row("answers", "405 with Allow: %s", allow(allowed))
}

// passedOver names the routes that are closer to the path, or as close, and why
// they are not the one.
func (e *explanation) passedOver(chosen *routePlace, site *config.Site, i int) {
	for j := range site.Routes {
		r := &site.Routes[j]
		if r == chosen.route || !r.Path.Matches(e.url.Path) {
			continue
		}
		switch {
		case len(methodsOf(r)) > 0 && !(&config.Route{Methods: methodsOf(r)}).Takes(e.method):
			e.row("not", "%s %s: it is for %s", e.place(config.RouteName(i, j), ""), r.Path, strings.Join(methodsOf(r), ", "))
		case r.Path == chosen.route.Path:
			e.row("not", "%s %s: it is for the methods that no other route of the path takes", e.place(config.RouteName(i, j), ""), r.Path)
		default:
			e.row("not", "%s %s: a longer path matches", e.place(config.RouteName(i, j), ""), r.Path)
		}
	}
}

// answer says what the route does.
func (e *explanation) answer(at *routePlace) {
	r := at.route
	switch {
	case strings.HasSuffix(at.name, "]") && !strings.Contains(at.name, ".routes"):
		e.row("route", "none for this path: the site's root answers (%s)", e.place(at.name, "root"))
	case len(r.Methods) > 0:
		e.row("route", "%s, path %s, methods %s", e.place(at.name, ""), r.Path, strings.Join(r.Methods, ", "))
	default:
		e.row("route", "%s, path %s", e.place(at.name, ""), r.Path)
	}
	e.row("answers", "%s", kindOf(r.Kind).describe(at))
	if r.Kind == config.KindRedirect {
		e.row("", "here: %s", location(at, e.url))
	}
	e.headers(at.loaded.Config.Headers, at.site.Headers, r.Headers)
}

// headers says what becomes of the answer's fields, by rules that come on top of
// each other.
func (e *explanation) headers(all ...[]config.HeaderRule) {
	own := &dress{}
	for _, rules := range all {
		own, _ = own.over(rules, nil) // only pages could fail
	}
	for _, rule := range own.rules {
		if len(rule.Values) == 0 {
			e.row("header", "%s is removed", rule.Name)
		}
		for _, value := range rule.Values {
			e.row("header", "%s: %s", rule.Name, value)
		}
	}
}

var _ http.Handler = signpost{}
