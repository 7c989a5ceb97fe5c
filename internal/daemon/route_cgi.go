package daemon

import (
	"cmp"
	"context"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// cgiKind is a route to scripts.
func cgiKind() routeKind {
	return routeKind{open: openCGI, describe: describeCGI, check: checkCGI}
}

func openCGI(ctx context.Context, b *treeBuilder, at *routePlace) (http.Handler, error) {
	if err := guarded(at.route.Folder); err != nil {
		return nil, at.wrong(string(config.KindCGI), err)
	}
	python, err := findPython(ctx, at.route.CGI.Python)
	if err != nil {
		return nil, at.wrong("cgi_python", err)
	}
	c, err := cgiConfig(&at.route.CGI)
	if err != nil {
		return nil, at.wrong("cgi_env", err)
	}
	c.Dir, c.Prefix, c.DocumentRoot = at.route.Folder, at.prefix(), cmp.Or(at.site.Root, at.route.Folder)
	c.Python, c.Log = python.path, b.sites.log
	c.Redirect, _ = ctx.Value(siteKey{}).(http.Handler)
	h, err := cgi.Open(c)
	if err != nil {
		return nil, at.wrong(string(config.KindCGI), err)
	}
	b.keep(h)
	return h, nil
}

func checkCGI(ctx context.Context, at *routePlace) error {
	if err := guarded(at.route.Folder); err != nil {
		return at.wrong(string(at.route.Kind), err)
	}
	if _, err := findPython(ctx, at.route.CGI.Python); err != nil {
		return at.wrong("cgi_python", err)
	}
	if _, err := cgiConfig(&at.route.CGI); err != nil {
		return at.wrong("cgi_env", err)
	}
	return nil
}

func describeCGI(at *routePlace) string { return "the scripts in " + at.route.Folder }
