package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// redirectKind is a route that sends visitors elsewhere.
func redirectKind() routeKind {
	return routeKind{open: openRedirect, describe: describeRedirect}
}

func openRedirect(_ context.Context, _ *treeBuilder, at *routePlace) (http.Handler, error) {
	status := redirectStatus(at)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Location", location(at, r.URL))
		h.Set("Content-Length", "0")
		w.WriteHeader(status)
	}), nil
}

func redirectStatus(at *routePlace) int { return cmp.Or(at.route.Status, http.StatusFound) }

// location is where the redirect leads from a URL. What the client has sent is
// escaped in it, and comes behind a slash of ours where it stands for a path: so
// it can name neither a host nor a field. The query goes along, unless the target
// has one.
func location(at *routePlace, from *url.URL) string {
	target, star := strings.CutSuffix(at.route.Redirect, "*")
	if star {
		rest := strings.TrimLeft(at.route.Path.Rest(from.Path), "/\\")
		target += (&url.URL{Path: "/" + rest}).EscapedPath()[1:]
	}
	if from.RawQuery == "" || strings.ContainsAny(target, "?#") {
		return target
	}
	return target + "?" + from.RawQuery
}

func describeRedirect(at *routePlace) string {
	return fmt.Sprintf("a redirect to %s (%d)", at.route.Redirect, redirectStatus(at))
}
