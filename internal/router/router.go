// Package router finds the handler for a host, a path and a method.
//
// A Table is made once and never changed; a Router holds the present one and
// swaps it as a whole, so a request sees all of a new configuration or nothing
// of it. Finding costs a few map look-ups for each label of the host and each
// segment of the path, whatever the number of routes.
//
// The package is not a framework's router: it knows no methods and no patterns,
// and it hands requests on as they are, prefix included.
package router

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// Route sends what arrives for a host under a prefix to a handler.
type Route struct {
	// Host is a name without a port, in any case; "*.example.com" for all names
	// below example.com, however deep; "" for every host without a better route.
	Host string
	// Prefix is a path that begins with a slash. "/blog" stands for /blog and
	// what is below /blog/, but not for /blogger; "/static/" only for what is
	// below the folder; "/" and "" for everything.
	Prefix string
	// Exact means that path alone, whatever it ends in. It comes before a prefix
	// that is as long.
	Exact bool
	// Methods are those that it takes, GET with HEAD; nil means all that no other
	// route of the same path takes. A request whose method no route of the longest
	// path takes goes to a shorter one that does.
	Methods []string
	Handler http.Handler
}

// Table is an immutable set of routes.
type Table struct {
	exact    map[string]*paths
	wildcard map[string]*paths // by the name behind "*."
	rest     *paths
}

// paths are the routes of one host.
type paths struct {
	byPrefix map[string]*choice // without the slash at the end, unless only the folder's inside is meant
	exact    map[string]*choice
	depth    int // the most slashes in any prefix
}

// choice are the routes of one path.
type choice struct {
	rest     http.Handler            // what no other takes; may be nil
	byMethod map[string]http.Handler // nil: all go to rest
}

// of is the handler for a method, nil if none takes it. c may be nil.
func (c *choice) of(method string) http.Handler {
	if c == nil {
		return nil
	}
	if c.byMethod != nil {
		if h := c.byMethod[method]; h != nil {
			return h
		}
	}
	return c.rest
}

// add takes a route in; false if another takes its requests.
func (c *choice) add(r *Route) bool {
	if r.Methods == nil {
		free := c.rest == nil
		c.rest = r.Handler
		return free
	}
	if c.byMethod == nil {
		c.byMethod = map[string]http.Handler{}
	}
	for _, method := range r.Methods {
		if c.byMethod[method] != nil {
			return false
		}
		c.byMethod[method] = r.Handler
	}
	return true
}

// finish has GET bring HEAD with it (RFC 9110, section 9.3.2).
func (c *choice) finish() {
	if get := c.byMethod[http.MethodGet]; get != nil && c.byMethod[http.MethodHead] == nil {
		c.byMethod[http.MethodHead] = get
	}
}

// NewTable checks routes and makes them a table.
func NewTable(routes []Route) (*Table, error) {
	t := &Table{exact: map[string]*paths{}, wildcard: map[string]*paths{}, rest: newPaths()}
	var all []*choice
	for _, r := range routes {
		if r.Handler == nil {
			return nil, fmt.Errorf("router: %s%s has no handler", r.Host, r.Prefix)
		}
		if r.Prefix != "" && r.Prefix[0] != '/' {
			return nil, fmt.Errorf("router: prefix %q does not begin with a slash", r.Prefix)
		}
		p := t.host(strings.ToLower(strings.TrimSuffix(r.Host, ".")))
		set, prefix := p.byPrefix, r.Prefix
		if prefix == "/" && !r.Exact {
			prefix = "" // all paths begin with it
		}
		if r.Exact {
			set = p.exact
		} else {
			p.depth = max(p.depth, strings.Count(prefix, "/"))
		}
		c := set[prefix]
		if c == nil {
			c = &choice{}
			set[prefix] = c
			all = append(all, c)
		}
		if !c.add(&r) {
			return nil, fmt.Errorf("router: %s%s is routed twice", r.Host, r.Prefix)
		}
	}
	for _, c := range all {
		c.finish()
	}
	return t, nil
}

func newPaths() *paths { return &paths{byPrefix: map[string]*choice{}, exact: map[string]*choice{}} }

// host returns the set of routes of a name, made if it is new.
func (t *Table) host(name string) *paths {
	if name == "" {
		return t.rest
	}
	set := t.exact
	if parent, ok := strings.CutPrefix(name, "*."); ok {
		set, name = t.wildcard, parent
	}
	p := set[name]
	if p == nil {
		p = newPaths()
		set[name] = p
	}
	return p
}

// Lookup is Find for a request that reads.
func (t *Table) Lookup(host, path string) http.Handler { return t.Find(host, path, http.MethodGet) }

// Find returns the handler for a request: of the longest path among the routes
// of host (with or without a port) that path (as decoded, in r.URL.Path) is or
// lies below and whose methods include the request's; nil if there is none. The
// most specific host that has such a route wins: its own name, then the nearest
// wildcard, then the routes for every host.
func (t *Table) Find(host, path, method string) (found http.Handler) {
	t.hosts(host, func(p *paths) bool {
		p.choices(path, func(c *choice) bool {
			found = c.of(method)
			return found == nil
		})
		return found == nil
	})
	return found
}

// Allowed are the methods of all routes for a path, in the order of the alphabet,
// where Find has found none: the answer is then 405, and this is its Allow field.
// Nil means that there is no route.
func (t *Table) Allowed(host, path string) []string {
	var all []string
	t.hosts(host, func(p *paths) bool {
		p.choices(path, func(c *choice) bool {
			all = slices.AppendSeq(all, maps.Keys(c.byMethod))
			return true
		})
		return true
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// hosts gives next the routes of host, the most specific first, until it returns
// false.
func (t *Table) hosts(host string, next func(*paths) bool) {
	if len(t.exact) > 0 || len(t.wildcard) > 0 {
		name := hostname(host)
		if p := t.exact[name]; p != nil && !next(p) {
			return
		}
		for len(t.wildcard) > 0 {
			_, parent, ok := strings.Cut(name, ".")
			if !ok {
				break
			}
			if p := t.wildcard[parent]; p != nil && !next(p) {
				return
			}
			name = parent
		}
	}
	next(t.rest)
}

// choices gives next what there is for path, the closest first, until it returns
// false: the path itself, then its own prefixes, the longest first: the whole of
// it, then at each slash the folder's inside and the folder itself.
func (p *paths) choices(path string, next func(*choice) bool) {
	if c := p.exact[path]; c != nil && !next(c) {
		return
	}
	end := p.longest(path)
	if c := p.byPrefix[path[:end]]; c != nil && !next(c) {
		return
	}
	for end > 0 {
		slash := strings.LastIndexByte(path[:end], '/')
		if slash < 0 {
			break // not a path, such as the asterisk of OPTIONS
		}
		// At the end of the path this was the whole of it.
		if c := p.byPrefix[path[:slash+1]]; c != nil && slash+1 < len(path) && !next(c) {
			return
		}
		if c := p.byPrefix[path[:slash]]; c != nil && slash > 0 && !next(c) {
			return
		}
		end = slash
	}
	if c := p.byPrefix[""]; c != nil {
		next(c)
	}
}

// longest is where the slash after the deepest possible prefix ends, so that a
// path of a thousand slashes costs no more than the routes are deep.
func (p *paths) longest(path string) int {
	slashes := 0
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		if slashes++; slashes > p.depth {
			return i
		}
	}
	return len(path)
}

// hostname is host in lower case, without the port and without the dot that a
// fully qualified name may end in.
func hostname(host string) string {
	if strings.IndexByte(host, ':') >= 0 {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Router is an http.Handler that obeys the present table. Its methods are safe
// for concurrent use. The zero value knows no route.
type Router struct {
	// NotFound answers what no route takes; nil means http.NotFound.
	NotFound http.Handler

	table atomic.Pointer[Table]
}

// Swap makes t the table of every request that begins from now on. Requests
// that are under way stay with their handlers.
func (r *Router) Swap(t *Table) { r.table.Store(t) }

// Lookup is Table.Lookup in the present table.
func (r *Router) Lookup(host, path string) http.Handler {
	t := r.table.Load()
	if t == nil {
		return nil
	}
	return t.Lookup(host, path)
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if t := r.table.Load(); t != nil {
		if h := t.Find(req.Host, req.URL.Path, req.Method); h != nil {
			h.ServeHTTP(w, req)
			return
		}
	}
	if r.NotFound != nil {
		r.NotFound.ServeHTTP(w, req)
		return
	}
	http.NotFound(w, req)
}

var _ http.Handler = (*Router)(nil)
