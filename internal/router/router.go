// Package router finds the handler for a host and a path.
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
	"net"
	"net/http"
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
	Prefix  string
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
	byPrefix map[string]http.Handler // without the slash at the end, unless only the folder's inside is meant
	depth    int                     // the most slashes in any prefix
}

// NewTable checks routes and makes them a table.
func NewTable(routes []Route) (*Table, error) {
	t := &Table{exact: map[string]*paths{}, wildcard: map[string]*paths{}, rest: newPaths()}
	for _, r := range routes {
		if r.Handler == nil {
			return nil, fmt.Errorf("router: %s%s has no handler", r.Host, r.Prefix)
		}
		if r.Prefix != "" && r.Prefix[0] != '/' {
			return nil, fmt.Errorf("router: prefix %q does not begin with a slash", r.Prefix)
		}
		p := t.host(strings.ToLower(strings.TrimSuffix(r.Host, ".")))
		prefix := r.Prefix
		if prefix == "/" {
			prefix = "" // all paths begin with it
		}
		if _, twice := p.byPrefix[prefix]; twice {
			return nil, fmt.Errorf("router: %s%s is routed twice", r.Host, r.Prefix)
		}
		p.byPrefix[prefix] = r.Handler
		p.depth = max(p.depth, strings.Count(prefix, "/"))
	}
	return t, nil
}

func newPaths() *paths { return &paths{byPrefix: map[string]http.Handler{}} }

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

// Lookup returns the handler of the longest prefix of path (as decoded, in
// r.URL.Path) among the routes of host (with or without a port), nil if there
// is none. The most specific host that has a route for the path wins: its own
// name, then the nearest wildcard, then the routes for every host.
func (t *Table) Lookup(host, path string) http.Handler {
	if len(t.exact) > 0 || len(t.wildcard) > 0 {
		name := hostname(host)
		if h := t.exact[name].lookup(path); h != nil {
			return h
		}
		for len(t.wildcard) > 0 {
			_, parent, ok := strings.Cut(name, ".")
			if !ok {
				break
			}
			if h := t.wildcard[parent].lookup(path); h != nil {
				return h
			}
			name = parent
		}
	}
	return t.rest.lookup(path)
}

// lookup tries path's own prefixes, the longest first: the whole of it, then at
// each slash the folder's inside and the folder itself.
func (p *paths) lookup(path string) http.Handler {
	if p == nil {
		return nil
	}
	end := p.longest(path)
	if h := p.byPrefix[path[:end]]; h != nil {
		return h
	}
	for end > 0 {
		slash := strings.LastIndexByte(path[:end], '/')
		if slash < 0 {
			break // not a path, such as the asterisk of OPTIONS
		}
		if h := p.byPrefix[path[:slash+1]]; h != nil {
			return h
		}
		if h := p.byPrefix[path[:slash]]; h != nil {
			return h
		}
		end = slash
	}
	return p.byPrefix[""]
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
	if h := r.Lookup(req.Host, req.URL.Path); h != nil {
		h.ServeHTTP(w, req)
		return
	}
	if r.NotFound != nil {
		r.NotFound.ServeHTTP(w, req)
		return
	}
	http.NotFound(w, req)
}

var _ http.Handler = (*Router)(nil)
