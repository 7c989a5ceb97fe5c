package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/router"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
)

// pages serve the Python files of a folder as pages.
type pages struct {
	dir     string
	handler *pagescript.Handler
	router  router.Router // where scripts do not run
	python  python
	log     *slog.Logger
}

// openPages opens the folder dir. What is no page is files'; site is the whole
// site, which pages may redirect to.
func openPages(ctx context.Context, cfg *config.Config, dir string, files *static.Handler, site http.Handler, log *slog.Logger) (*pages, error) {
	if err := guarded(dir); err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot run pages: %w", err)}
	}
	python, err := findPython(ctx, cfg.CGI.Python)
	if err != nil {
		return nil, err
	}
	config, err := pagesConfig(cfg, dir, python, files, site, log)
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot run pages: %w", err)}
	}
	handler, err := pagescript.Open(config)
	if err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	p := &pages{dir: dir, handler: handler, python: python, log: log}
	// Folders of scripts are none of pages, whether their scripts run or not.
	routes := []router.Route{{Prefix: "/", Handler: handler}}
	for _, name := range scriptNames() {
		routes = append(routes, router.Route{Prefix: "/" + name, Handler: files})
	}
	table, err := router.NewTable(routes)
	if err != nil {
		_ = handler.Close() // err is what to tell
		return nil, fmt.Errorf("daemon: route: %w", err)
	}
	p.router.Swap(table)
	return p, nil
}

// pagesConfig is what the configuration says about pages. What it says of scripts
// holds for both kinds.
func pagesConfig(cfg *config.Config, dir string, python python, files *static.Handler, site http.Handler, log *slog.Logger) (pagescript.Config, error) {
	scripts, err := cgiConfig(&cfg.CGI)
	if err != nil {
		return pagescript.Config{}, err
	}
	scripts.Dir, scripts.Python, scripts.Redirect, scripts.Log = dir, python.path, site, log
	c := pageSettings(&cfg.Pages, scripts)
	c.Files, c.NotFound = files, http.HandlerFunc(files.ServeNotFound)
	return c, nil
}

// pageSettings is what the configuration says about pages wherever they are, of
// which those that print run like scripts.
func pageSettings(p *config.Pages, scripts cgi.Config) pagescript.Config {
	scripts.QueryArgument = p.Args == config.Query
	return pagescript.Config{
		Scripts: scripts,
		Applications: pyapp.Config{
			Timeout:      scripts.Timeout,
			StallTimeout: scripts.StallTimeout,
			MaxBody:      scripts.MaxBody,
			QueueWait:    scripts.QueueWait,
		},
		MaxApplications: p.Applications,
		Idle:            limit(p.Idle),
	}
}

// announce says what runs, and with which Python.
func (p *pages) announce(s *screen) {
	s.line("pages", "*.py in %s → pages, %s", p.dir, p.python)
}

// dump logs what the workers of all pages are doing.
func (p *pages) dump(ctx context.Context) { dumpPages(ctx, p.handler, p.log) }

func dumpPages(ctx context.Context, h *pagescript.Handler, log *slog.Logger) {
	stacks := h.Stacks(ctx)
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		logStacks(log.With("app", name), stacks[name])
	}
}
