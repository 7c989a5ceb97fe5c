package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// Project is what the command line says about an application.
type Project struct {
	Target     string // a folder, a Python file, "module:callable", or "" for the current folder
	ConfigFile string // "" for the one in the project's folder, if there is one
	Flags      []config.Assignment
	Version    string // of the program, for the control socket
}

// project is an application's folder and where its configuration comes from.
type project struct {
	dir      string
	callable string // named on the command line; may be empty
	source   config.Source
}

// locate finds the folder. It is called while the process still has the rights
// that it was started with: they decide which files are trusted.
func (p Project) locate() (*project, error) {
	dir, callable, err := target(p.Target)
	if err != nil {
		return nil, err
	}
	found := &project{dir: dir, callable: callable, source: config.Source{Dir: dir, Path: p.ConfigFile, Flags: p.Flags}}
	if os.Geteuid() == 0 {
		found.source.Trust = ownedByRoot
	}
	return found, nil
}

// load reads the configuration as it is now.
func (p *project) load() (*config.Loaded, error) {
	l, err := p.source.Load()
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		return nil, &Error{Err: fmt.Errorf("cannot read the configuration: %w", err)}
	}
	return nil, &Error{Err: err}
}

// look finds out what the application is. Nothing is started.
func (p *project) look(l *config.Loaded) (*detect.Result, error) {
	if err := alone(l); err != nil {
		return nil, err
	}
	found, err := detect.Folder(p.dir, p.options(l))
	if err != nil {
		return nil, detectError(p.dir, err)
	}
	return found, nil
}

// options are what the configuration says of what to look for.
func (p *project) options(l *config.Loaded) detect.Options {
	var opt detect.Options
	opt.App = named(l, "app", l.Config.App.App)
	if p.callable != "" {
		opt.App = detect.Named{Value: p.callable}
	}
	python := named(l, "python", l.Config.App.Python)
	if filepath.Base(python.File) == config.ProjectFile {
		opt.ProjectPython = python
	} else {
		opt.Python = python
	}
	for _, v := range l.Config.App.Env {
		if v.Name == detect.SettingsVar {
			opt.Settings = named(l, "env", cmp.Or(v.Value, os.Getenv(v.From)))
		}
	}
	return opt
}

// named is a setting as detection wants it.
func named(l *config.Loaded, setting, value string) detect.Named {
	n := detect.Named{Value: value}
	if o, _ := l.Origin(setting); o.File != "" {
		n.Line = o.Line
		n.File = o.File
		if abs, err := filepath.Abs(o.File); err == nil {
			n.File = abs
		}
	}
	return n
}

// target tells a folder from a file and from module:callable. Folders and files
// win, because what is there can be seen.
func target(text string) (dir, callable string, err error) {
	if text == "" {
		return ".", "", nil
	}
	info, err := os.Stat(text)
	switch {
	case err == nil && info.IsDir():
		return text, "", nil
	case err == nil && strings.HasSuffix(text, ".py"):
		return filepath.Dir(text), strings.TrimSuffix(filepath.Base(text), ".py"), nil
	case err == nil:
		return "", "", &Error{
			Err:  fmt.Errorf("cannot run %s: it is no folder and no Python module", text),
			Hint: runUsage,
		}
	case strings.ContainsRune(text, filepath.Separator):
		return "", "", &Error{Err: fmt.Errorf("cannot run %s: %w", text, cause(err)), Hint: runUsage}
	}
	return ".", text, nil
}

const runUsage = "name a project folder, or an application as module:callable"

// detectError is detect's answer for the person who typed the command.
func detectError(dir string, err error) *Error {
	var d *detect.Error
	if errors.As(err, &d) {
		return &Error{Err: fmt.Errorf("cannot run %w", d), Hint: d.Detail()}
	}
	return &Error{Err: fmt.Errorf("cannot run %s: %w", dir, cause(err))}
}
