package webapps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// scriptFolders are the folders of scripts in an application, those that
// python -m http.server --cgi knew.
var scriptFolders = []string{"cgi-bin", "htbin"}

// found is what an application's folder turned out to hold.
type found struct {
	kind  Type
	wsgi  *detect.Result // nil unless kind is WSGI
	base  string         // the interpreter that was found for it, which may not be what it runs with
	about string         // for people
}

// recognise finds out how an instance runs, and what it is. It is called with its
// account's rights.
func (i *instance) recognise(c *Config) error {
	app, err := c.load(i.name, i.dir)
	if err != nil {
		return err
	}
	i.app, i.loaded = app, app
	i.found, err = recognise(i.dir, &i.app)
	return err
}

// load says how the application in dir runs.
func (c *Config) load(name ContextName, dir string) (App, error) {
	if err := guarded(dir); err != nil {
		return App{}, err
	}
	app, err := c.Load(name, dir)
	if err == nil && (app.WSGI.User != nil || app.CGI.User != nil || app.Pages.Scripts.User != nil || app.Pages.Applications.User != nil || app.Static.User != nil) {
		err = errors.New("webapps: Config.Load names a user, which is what Config.Account is for")
	}
	return app, err
}

// recognise finds out what lies in dir. What nothing says is not guessed: files
// that nobody has declared to be a site are not served.
func recognise(dir string, app *App) (found, error) {
	switch app.Type {
	case Auto, WSGI:
	case Static:
		return found{kind: Static, about: "static files"}, nil
	case CGI:
		if !hasScripts(dir) {
			return found{}, &hintError{fmt.Errorf(`type = "cgi", and there is neither cgi-bin nor htbin in %s`, dir), "scripts belong into a folder cgi-bin"}
		}
		return found{kind: CGI, about: "CGI"}, nil
	case Pages:
		return found{kind: Pages, about: "page scripts"}, nil
	default:
		return found{}, fmt.Errorf("no such type of an application: %q", app.Type)
	}
	look := app.Look
	look.Alone = true
	result, err := detect.Folder(dir, look)
	switch {
	case err == nil:
		return found{kind: WSGI, wsgi: result, base: result.Python.Path, about: string(result.Framework)}, nil
	case app.Type == WSGI || look.App.Value != "" || !errors.Is(err, detect.ErrNothing):
		return found{}, err
	case hasScripts(dir):
		return found{kind: CGI, about: "CGI"}, nil
	case hasIndex(dir):
		return found{kind: Static, about: "static files"}, nil
	}
	var detail string
	if e, ok := errors.AsType[*detect.Error](err); ok {
		detail = e.Detail() + "\n"
	}
	return found{}, &hintError{err, detail + `scripts belong into cgi-bin; a site of files has an index.html, or type = "static" below [app] in its gatehouse.toml`}
}

// hasScripts reports whether dir has a folder of scripts.
func hasScripts(dir string) bool {
	for _, name := range scriptFolders {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// hasIndex reports whether dir has a page of its own.
func hasIndex(dir string) bool {
	for _, name := range []string{"index.html", "index.htm"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// writableByAll is the permission with which everybody on the machine decides
// what runs.
const writableByAll = 0o002

// guarded refuses a folder that everybody can change.
func guarded(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "open", Path: dir, Err: errors.New("not a folder")}
	}
	if mode := info.Mode().Perm(); mode&writableByAll != 0 {
		return &hintError{fmt.Errorf("%s can be changed by everybody on this machine (mode %04o)", dir, mode), "chmod o-w " + dir}
	}
	return nil
}
