package daemon

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// Check tells whether Run could run: the configuration, what it names, the
// application's module and the interpreter. Nothing is started, so what only the
// import can tell stays open. The error is an *Error.
func Check(p Project, w io.Writer) error {
	located, err := p.locate()
	if err != nil {
		return err
	}
	l, err := located.load()
	if err != nil {
		return err
	}
	if err := new(trust).parse(l); err != nil {
		return err
	}
	if dir := located.webapps(l); dir != "" || len(l.Config.Sites) > 0 {
		return checkSites(located, l, dir, w)
	}
	found, err := located.look(l)
	if err != nil {
		return err
	}
	if _, _, err := accountFor(applicationRuns, found.Dir, l.Config.User, os.Geteuid()); err != nil {
		return err
	}
	if _, err := poolConfig(l, found, nil, nil); err != nil {
		return err
	}
	s := newScreen(w)
	if len(found.Files) == 0 {
		if err := moduleThere(found, s); err != nil {
			return err
		}
	}
	s.line("ok", "%s; %s application %s, %s", cmp.Or(l.File, "no configuration file"), found.Framework, found.App, found.Python.Path)
	return nil
}

// moduleThere looks for an application's module where nothing else has told of it.
func moduleThere(found *detect.Result, s *screen) error {
	switch installed(found.Python.Venv, found.App) {
	case no:
		return &Error{
			Err:  fmt.Errorf("cannot run %s: no such module in %s, nor in %s", found.App, found.Dir, found.Python.Venv),
			Hint: runUsage,
		}
	case unknown:
		s.line("warning", "%s is no module in %s; only its import tells whether it is installed", found.App, found.Dir)
	}
	return nil
}

// answer is what can be known without running anything.
type answer string

const (
	unknown answer = "unknown"
	yes     answer = "yes"
	no      answer = "no"
)

// installed tells whether the package that an application begins with is
// installed in the virtual environment in the folder venv, if there is one.
func installed(venv, app string) answer {
	module, _, _ := strings.Cut(app, ":")
	name, _, _ := strings.Cut(module, ".")
	var places []fs.FS // whose names are names, whatever venv is called
	for _, pattern := range []string{"lib/python*/site-packages", "lib/pypy*/site-packages"} {
		dirs, _ := fs.Glob(os.DirFS(venv), pattern) // the pattern is right
		for _, dir := range dirs {
			places = append(places, os.DirFS(filepath.Join(venv, dir)))
		}
	}
	if venv == "" || len(places) == 0 {
		return unknown
	}
	for _, dir := range places {
		for _, pattern := range []string{name, name + ".*"} {
			if hits, _ := fs.Glob(dir, pattern); len(hits) > 0 {
				return yes
			}
		}
		if paths, _ := fs.Glob(dir, "*.pth"); len(paths) > 0 {
			return unknown // they add other folders, such as those of editable installations
		}
	}
	return no
}

// checkSites is Check for a configuration with sites, or a folder of applications.
// Nothing is started.
func checkSites(p *project, l *config.Loaded, folder string, w io.Writer) error {
	folder, err := severalOnly(p, l, folder)
	if err != nil {
		return err
	}
	if _, _, err := sitesAccount(p, l, folder, os.Geteuid()); err != nil {
		return err
	}
	if err := l.Verify(); err != nil {
		return &Error{Err: err}
	}
	s := newSites(p, nil, slog.New(slog.DiscardHandler))
	defer s.cancel()
	screen := newScreen(w)
	for _, c := range l.Config.Routed() {
		n, err := s.named(l, &c)
		if err != nil {
			return err
		}
		if len(n.found.Files) == 0 {
			if err := moduleThere(n.found, screen); err != nil {
				return err
			}
		}
		screen.line("app", "%s: %s application %s, %s", c.Name, n.found.Framework, n.found.App, n.found.Python.Path)
	}
	routes := 0
	for i := range l.Config.Sites {
		site := &l.Config.Sites[i]
		for j := range site.Routes {
			at := &routePlace{loaded: l, site: site, route: &site.Routes[j], name: config.RouteName(i, j)}
			if check := kindOf(at.route.Kind).check; check != nil {
				if err := check(context.Background(), at); err != nil {
					return &Error{Err: err}
				}
			}
			routes++
		}
	}
	var ok []string
	if len(l.Config.Sites) > 0 {
		ok = append(ok, count(len(l.Config.Sites), "site"), count(routes, "route"))
	}
	if folder != "" {
		apps, err := checkWebapps(l, folder, screen)
		if err != nil {
			return err
		}
		ok = append(ok, count(apps, "application")+" in "+folder)
	}
	file := "no configuration file"
	if l.File != "" {
		file = filepath.Clean(l.File)
	}
	screen.line("ok", "%s; %s", file, strings.Join(ok, ", "))
	return nil
}
