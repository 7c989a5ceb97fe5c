package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxErrorPage bounds the page of an error, which is held in memory.
const maxErrorPage = 1 << 20

// Verify looks for the folders and files that sites, routes and named
// applications need. What is missing comes back as a *FileError with the place
// that names it. It is to be called with the rights that will serve them.
func (l *Loaded) Verify() error {
	v := &verifier{loaded: l}
	c := &l.Config
	for _, app := range c.Routed() {
		name := "apps." + app.Name + ".dir"
		v.folder(name, app.Dir)
		v.apart(name, app.Dir)
	}
	if dir, err := filepath.Abs(c.Webapps.Dir); err == nil && c.Webapps.Dir != "" {
		v.apart("webapps", dir)
	}
	for i := range c.Sites {
		site := &c.Sites[i]
		path := SiteName(i)
		v.folder(path+".root", site.Root)
		v.pages(path, site.ErrorPages)
		for j := range site.Routes {
			route := &site.Routes[j]
			path := RouteName(i, j)
			v.folder(path+"."+string(route.Kind), route.Folder)
			v.pages(path, route.ErrorPages)
			if route.Kind == KindCGI || route.Kind == KindPages {
				v.apart(path+"."+string(route.Kind), route.Folder)
			}
		}
	}
	if len(v.failed.Problems) == 0 {
		return nil
	}
	v.failed.sort()
	return &v.failed
}

// SiteName is what a site is called in Loaded.At, by its place among the sites.
func SiteName(site int) string { return fmt.Sprintf("sites[%d]", site) }

// RouteName is what a route is called in Loaded.At.
func RouteName(site, route int) string { return fmt.Sprintf("sites[%d].routes[%d]", site, route) }

// verifier collects what is missing.
type verifier struct {
	loaded *Loaded
	failed FileError
}

func (v *verifier) wrong(name, format string, args ...any) {
	v.failed.Problems = append(v.failed.Problems, v.loaded.At(name, fmt.Sprintf(format, args...)))
}

// folder looks for one, unless it is "".
func (v *verifier) folder(name, dir string) {
	if dir == "" {
		return
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		v.wrong(name, "%s: expected a folder, %s %s", lastKey(name), dir, trouble(err))
	case !info.IsDir():
		v.wrong(name, "%s: expected a folder, %s is none", lastKey(name), dir)
	}
}

// apart refuses a folder of scripts or of an application that is also served as
// files, which would show its sources to everybody. Right below a served folder it
// is withheld there, by its name; deeper, nothing keeps it from being read.
func (v *verifier) apart(name, dir string) {
	for _, served := range v.served() {
		rel, err := filepath.Rel(served, dir)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		if rel == "." || strings.ContainsRune(rel, filepath.Separator) {
			v.wrong(name, "%s: %s lies in %s, whose files are served, so the sources could be read; move it out, or right below that folder", lastKey(name), dir, served)
			return
		}
	}
}

// served are the folders whose files are served.
func (v *verifier) served() []string {
	var all []string
	for _, site := range v.loaded.Config.Sites {
		if site.Root != "" {
			all = append(all, site.Root)
		}
		for _, route := range site.Routes {
			if route.Kind == KindStatic && route.Folder != "" {
				all = append(all, route.Folder)
			}
		}
	}
	return all
}

func (v *verifier) pages(path string, pages []ErrorPage) {
	for _, page := range pages {
		if _, err := page.Read(); err != nil {
			v.wrong(fmt.Sprintf("%s.error_pages.%d", path, page.Status), "%d: expected the file of the page, %s %s", page.Status, page.File, trouble(err))
		}
	}
}

// Read reads the page, which is 1 MB at most.
func (p ErrorPage) Read() ([]byte, error) { return readRegular(p.File, maxErrorPage) }

// lastKey is the key at the end of a name.
func lastKey(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}

// trouble is what is the matter with a path that is named beside it.
func trouble(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "is not there"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return "cannot be used: " + err.Error()
}

// Application is the configuration of a named application by itself, as if it
// were the only one.
func (l *Loaded) Application(app *NamedApp) *Loaded {
	one := &Loaded{Config: l.Config, File: l.File, origins: map[string]Origin{}}
	one.Config.App, one.Config.Apps, one.Config.Sites, one.Config.Webapps = app.App, nil, nil, Webapps{}
	for _, s := range Settings() {
		o, ok := l.origins["apps."+app.Name+"."+s.Key()]
		if !ok && !s.ForWebapps() {
			o, ok = l.origins[s.Name]
		}
		if ok {
			one.origins[s.Name] = o
		}
	}
	return one
}
