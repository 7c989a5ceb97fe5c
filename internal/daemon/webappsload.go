package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/static"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// load says how the application of that name in dir runs: as the server's file
// says of it, else its own, and where both are silent as the server's says for
// all. Its own file came with the application, so it decides about nothing else.
func (h *appFolder) load(name webapps.ContextName, dir string) (webapps.App, error) {
	app, err := h.loadOwn(name, dir)
	return app, asFailure(err)
}

// asFailure is err as people see it who look after an application.
func asFailure(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &webapps.Failure{Err: e.Err, Hint: e.Hint}
	}
	return err
}

func (h *appFolder) loadOwn(name webapps.ContextName, dir string) (webapps.App, error) {
	var app webapps.App
	if err := taken(h.loaded.Load(), name); err != nil {
		return app, &Error{Err: err, Hint: "rename one of them: commands, the log and numbers know both by that name"}
	}
	p := &project{dir: dir, source: config.Source{Dir: dir}}
	l, err := p.load()
	if err != nil {
		return app, err
	}
	server := h.loaded.Load()
	if err := mayAsk(l, &server.Config, dir); err != nil {
		return app, &Error{Err: err}
	}
	inherited := l.Inherit(&server.Config, func(s *config.Setting) bool {
		return (aboutApp(s) || s.HowScripts()) && !ownOnly(s.Name)
	})
	h.override(l, server, name)
	said := func(name string) bool {
		_, set := l.Origin(name)
		return set || slices.Contains(inherited, name)
	}
	if app.WSGI, err = poolSettings(l, filepath.Base(dir)); err != nil {
		return app, err
	}
	app.Confinement = app.WSGI.Confinement
	app.Confinement.Groups = h.groups
	app.Type = webapps.Type(l.Config.App.Type)
	if l.Config.App.Type == config.Auto {
		app.Type = webapps.Auto
	}
	app.Lazy = l.Config.App.Start == config.ByRequest
	app.Release = l.Config.App.Release
	for _, p := range l.Config.App.Processes {
		app.Processes = append(app.Processes, webapps.Process{Name: p.Name, Command: p.Command, Cron: p.Cron})
	}
	if app.Install, err = installOf(&l.Config.App, dir); err != nil {
		return app, err
	}
	app.Look = p.options(l)
	app.Look.ProjectPython = serverPython(app.Look, server)
	if app.CGI, err = scriptSettings(&l.Config, app.WSGI.Env, said); err != nil {
		return app, &Error{Err: fmt.Errorf("%s: %w", l.Call("cgi-env"), err)}
	}
	app.CGI.Python = scriptPython(l, server, dir)
	app.Pages = pageSettings(&l.Config.Pages, app.CGI)
	app.Static = static.Config{Charset: server.Config.Static.Charset}
	return app, nil
}

// taken refuses the name of an application that routes lead to.
func taken(l *config.Loaded, name webapps.ContextName) error {
	for _, app := range l.Config.Routed() {
		if nameOf(app.Name).Path() == name.Path() {
			return fmt.Errorf("%s is an application that routes lead to", l.Call("apps."+app.Name))
		}
	}
	return nil
}

// installOf says what is installed for the application in dir.
func installOf(c *config.App, dir string) (webapps.Install, error) {
	if c.Install == config.Off {
		return webapps.Install{}, nil
	}
	i := webapps.Install{On: true}
	if c.Install != config.On {
		i.Wheels = c.Install
	}
	if _, err := os.Lstat(filepath.Join(dir, "requirements.txt")); err == nil {
		return i, nil
	}
	var err error
	if i.Project, err = config.Requirements(filepath.Join(dir, config.ProjectFile)); err != nil {
		return i, &Error{Err: fmt.Errorf("install: %w", err), Hint: "a requirements.txt, where there is one, counts in its place"}
	}
	return i, nil
}

// override has what the server's file says of one application count more than
// what that says itself; what it says of a version comes last.
func (h *appFolder) override(l, server *config.Loaded, name webapps.ContextName) {
	var tables []string
	for _, app := range server.Config.InFolder() {
		switch table, err := webapps.ParseBase(app.Name); {
		case err != nil || !concerns(table, name):
		case table == name:
			tables = append(tables, app.Name)
		default:
			tables = slices.Insert(tables, 0, app.Name)
		}
	}
	for _, table := range tables {
		l.Override(server, table)
	}
}

// scriptSettings is what is said about an application, for scripts. What a key of
// theirs does not say, that of all applications does.
func scriptSettings(c *config.Config, env []string, said func(string) bool) (cgi.Config, error) {
	s, err := cgiConfig(&c.CGI)
	s.Env = append(slices.Clone(env), s.Env...)
	if !said("cgi-timeout") {
		s.Timeout = limit(c.App.Timeout)
	}
	if !said("cgi-stall-timeout") {
		s.StallTimeout = limit(c.App.StallTimeout)
	}
	if !said("cgi-max-body") && said("max-body") {
		s.MaxBody = bound(c.App.MaxBody)
	}
	return s, err
}

// scriptPython is the interpreter for the scripts of the application in dir: what
// is said of it, its own environment's, what the server's configuration says of
// all; "" for the usual one.
func scriptPython(l, server *config.Loaded, dir string) string {
	own := cmp.Or(l.Config.CGI.Python, l.Config.App.Python)
	if in := filepath.Join(dir, own); own != "" && !filepath.IsAbs(own) && programOf(in) != in {
		own = in // an environment's folder, by its name alone
	}
	return cmp.Or(programOf(own), detect.Venv(dir), programOf(cmp.Or(server.Config.CGI.Python, server.Config.App.Python)))
}

// ownOnly reports whether a setting is each application's own matter: what one of
// them is says nothing of the others.
func ownOnly(name string) bool {
	return slices.Contains([]string{"app", "type", "python", "health", "env", "accel-redirect", "release", "processes", "cgi-python", "cgi-env", "cgi-interpreter"}, name)
}

// serverPython is the interpreter for applications that have none of their own:
// what they name themselves, else what the server's configuration says.
func serverPython(look detect.Options, server *config.Loaded) detect.Named {
	python := server.Config.App.Python
	if look.ProjectPython.Value != "" || look.Python.Value != "" || python == "" {
		return look.ProjectPython
	}
	if strings.ContainsRune(python, filepath.Separator) {
		if abs, err := filepath.Abs(python); err == nil {
			python = abs
		}
	}
	return named(server, "python", python)
}

// mayAsk refuses what an application's own file may not say.
func mayAsk(l *config.Loaded, server *config.Config, dir string) error {
	switch {
	case len(l.Config.Sites) > 0:
		return fmt.Errorf("%s: [[sites]] concern the whole server; an application's own file says how that application runs", l.File)
	case len(l.Config.Apps) > 0:
		return fmt.Errorf("%s concerns the whole server; an application's own file says how that application runs", l.Call("apps."+l.Config.Apps[0].Name))
	}
	for _, s := range config.Settings() {
		if _, set := l.Origin(s.Name); !set {
			continue
		}
		switch {
		case s.Group != config.Applications && !s.HowScripts():
			return fmt.Errorf("%s concerns the whole server; an application's own file says how that application runs", l.Call(s.Name))
		case s.Name == "reload":
			return fmt.Errorf("%s is for development; what is saved in webapps is deployed anyway", l.Call(s.Name))
		}
	}
	c := &l.Config
	for setting, env := range map[string][]config.Variable{"env": c.App.Env, "cgi-env": c.CGI.Env} {
		for _, v := range env {
			switch {
			case v.From != "":
				return fmt.Errorf("%s: %s: the server's environment is not the application's; { file = \"PATH\" } takes a file of its own", l.Call(setting), v.Name)
			case v.File != "" && !within(dir, v.File):
				return fmt.Errorf("%s: %s: %s is not in the application's own folder", l.Call(setting), v.Name, v.File)
			}
		}
	}
	for prefix, folder := range c.App.AccelRedirect {
		if !within(dir, folder) {
			return fmt.Errorf("%s: %s: %s is not in the application's own folder", l.Call("accel-redirect"), prefix, folder)
		}
	}
	if folder := c.App.Install; folder != config.On && folder != config.Off && !within(dir, folder) {
		return fmt.Errorf("%s: %s is not in the application's own folder", l.Call("install"), folder)
	}
	for _, b := range bounds {
		own, most := b.of(c), b.of(server)
		if _, set := l.Origin(b.setting); set && b.above(own, most) {
			return fmt.Errorf("%s is more than the server allows; [app] in its own file says how much that is", l.Call(b.setting))
		}
	}
	return nil
}

// within reports whether path is in a folder, links followed as far as it is
// there.
func within(dir, path string) bool {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if !os.IsNotExist(err) {
		return false
	}
	rel, err := filepath.Rel(realDir(dir), path)
	return err == nil && filepath.IsLocal(rel)
}

// aBound is a setting by which an application takes more of what all share.
type aBound struct {
	setting string
	of      func(*config.Config) int64
	endless bool // 0 is no limit at all, which nothing is above
}

// bounds are those. Where the server's configuration does not say how much, its
// default is what there is.
var bounds = []aBound{
	{"max-body", func(c *config.Config) int64 { return int64(c.App.MaxBody) }, false},
	{"spool-memory", func(c *config.Config) int64 { return int64(c.App.SpoolMemory) }, false},
	{"response-spool", func(c *config.Config) int64 { return int64(c.App.ResponseSpool) }, false},
	{"queue", func(c *config.Config) int64 { return int64(c.App.Queue) }, false},
	{"new-privileges", func(c *config.Config) int64 { return map[bool]int64{true: 1}[c.App.NewPrivileges] }, false},
	{"workers", func(c *config.Config) int64 { return int64(max(c.App.Workers, c.App.MaxWorkers)) }, true},
	{"memory-soft", func(c *config.Config) int64 { return int64(c.App.MemorySoft) }, true},
	{"memory-hard", func(c *config.Config) int64 { return int64(c.App.MemoryHard) }, true},
	{"limit-memory", func(c *config.Config) int64 { return int64(c.App.Limits.Memory) }, true},
	{"limit-cpu", func(c *config.Config) int64 { return int64(c.App.Limits.CPU * 1e6) }, true},
	{"limit-files", func(c *config.Config) int64 { return int64(c.App.Limits.Files) }, true},
	{"limit-processes", func(c *config.Config) int64 { return int64(c.App.Limits.Processes) }, true},
	{"start-timeout", func(c *config.Config) int64 { return int64(c.App.StartTimeout / time.Millisecond) }, true},

	{"cgi-max-body", func(c *config.Config) int64 { return int64(c.CGI.MaxBody) }, false},
	{"cgi-max-output", func(c *config.Config) int64 { return int64(c.CGI.MaxOutput) }, true},
	{"cgi-scripts", func(c *config.Config) int64 { return int64(c.CGI.Scripts) }, true},
	{"cgi-queue", func(c *config.Config) int64 { return int64(c.CGI.Queue) }, false},
	{"cgi-limit-cpu", func(c *config.Config) int64 { return int64(c.CGI.Limits.CPU) }, true},
	{"cgi-limit-memory", func(c *config.Config) int64 { return int64(c.CGI.Limits.Memory) }, true},
	{"cgi-limit-file-size", func(c *config.Config) int64 { return int64(c.CGI.Limits.FileSize) }, true},
	{"cgi-limit-files", func(c *config.Config) int64 { return int64(c.CGI.Limits.Files) }, true},
	{"cgi-limit-processes", func(c *config.Config) int64 { return int64(c.CGI.Limits.Processes) }, true},
	{"pages-applications", func(c *config.Config) int64 { return int64(c.Pages.Applications) }, false},
}

// above reports whether an application asks for more than there is.
func (b aBound) above(own, most int64) bool {
	switch {
	case b.endless && most == 0:
		return false
	case b.endless && own == 0:
		return true
	}
	return own > most
}
