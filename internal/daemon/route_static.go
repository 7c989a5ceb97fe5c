package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/static"
)

// staticKind is a route to files.
func staticKind() routeKind {
	return routeKind{open: openStatic, describe: describeStatic}
}

func openStatic(_ context.Context, b *treeBuilder, at *routePlace) (http.Handler, error) {
	r := at.route
	c := static.Config{
		Roots:          []string{r.Folder},
		Prefix:         at.prefix(),
		Index:          r.Static.Index,
		Listing:        r.Static.Listing,
		FollowSymlinks: r.Static.FollowSymlinks,
		Charset:        r.Static.Charset,
		Project:        projectRule(&config.Config{Static: r.Static}),
		Try:            r.TryFiles,
		Fallback:       r.Fallback,
		Log:            b.sites.log,
	}
	if r.Folder == "" { // the site's own files, by the whole path
		c.Roots, c.Prefix = []string{at.site.Root}, "/"
	}
	c.Withheld = withheldIn(&at.loaded.Config, c.Roots[0])
	if _, own := at.dress.pages[http.StatusNotFound]; own {
		c.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			errorpage.Write(w, r, http.StatusNotFound, "")
		})
	}
	h, err := static.Open(c)
	if err != nil {
		return nil, at.wrong(cmp.Or(string(r.Kind), "root"), err)
	}
	b.keep(h)
	return h, nil
}

// withheldIn are the names right below a served folder that hold programs: the
// usual ones for scripts, and those that the configuration runs scripts or
// applications of. Their sources are nobody's business, under whichever address.
func withheldIn(c *config.Config, dir string) []string {
	var programs []string
	for _, app := range c.Routed() {
		programs = append(programs, app.Dir)
	}
	if folder, err := filepath.Abs(c.Webapps.Dir); err == nil && c.Webapps.Dir != "" {
		programs = append(programs, folder)
	}
	for i := range c.Sites {
		for _, r := range c.Sites[i].Routes {
			if r.Kind == config.KindCGI || r.Kind == config.KindPages {
				programs = append(programs, r.Folder)
			}
		}
	}
	names := scriptNames()
	for _, program := range programs {
		rel, err := filepath.Rel(dir, program)
		if err == nil && filepath.IsLocal(rel) && rel != "." && !strings.ContainsRune(rel, filepath.Separator) {
			names = append(names, rel)
		}
	}
	return names
}

func describeStatic(at *routePlace) string {
	r := at.route
	text := "the files in " + cmp.Or(r.Folder, at.site.Root)
	if len(r.TryFiles) > 0 {
		text += ", then " + strings.Join(r.TryFiles, ", ")
	}
	if r.Fallback != "" {
		text += fmt.Sprintf(", else %s for paths without a dot", r.Fallback)
	}
	return text
}
