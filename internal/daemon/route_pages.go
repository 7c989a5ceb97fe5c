package daemon

import (
	"cmp"
	"context"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/static"
)

// pagesKind is a route to Python files, each a page of its name, with the other
// files of their folder.
func pagesKind() routeKind {
	return routeKind{open: openPagesRoute, describe: describePages, check: checkPages}
}

func openPagesRoute(ctx context.Context, b *treeBuilder, at *routePlace) (http.Handler, error) {
	r := at.route
	if err := guarded(r.Folder); err != nil {
		return nil, at.wrong(string(config.KindPages), err)
	}
	python, err := findPython(ctx, r.CGI.Python)
	if err != nil {
		return nil, at.wrong("cgi_python", err)
	}
	files, err := static.Open(static.Config{
		Roots: []string{r.Folder}, Prefix: at.prefix(), Index: r.Static.Index, Listing: r.Static.Listing,
		FollowSymlinks: r.Static.FollowSymlinks, Charset: r.Static.Charset,
		Withheld: withheldIn(&at.loaded.Config, r.Folder),
		Project:  static.ProjectAlways, // sources lie there
		Log:      b.sites.log,
	})
	if err != nil {
		return nil, at.wrong(string(config.KindPages), err)
	}
	b.keep(files)
	site, _ := ctx.Value(siteKey{}).(http.Handler)
	c, err := pagesConfig(&config.Config{CGI: r.CGI, Pages: r.Pages}, r.Folder, python, files, site, b.sites.log)
	if err != nil {
		return nil, at.wrong("cgi_env", err)
	}
	c.Scripts.Prefix, c.Scripts.DocumentRoot = at.prefix(), cmp.Or(at.site.Root, r.Folder)
	h, err := pagescript.Open(c)
	if err != nil {
		return nil, at.wrong(string(config.KindPages), err)
	}
	b.keep(h)
	b.pages = append(b.pages, h)
	return h, nil
}

// checkPages looks for what scripts need: pages need the same.
func checkPages(ctx context.Context, at *routePlace) error { return checkCGI(ctx, at) }

func describePages(at *routePlace) string {
	return "the pages, and the other files, in " + at.route.Folder
}
