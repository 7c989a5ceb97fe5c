// Package detect finds out what is in a project folder: which framework, which
// WSGI callable, which Python interpreter, and from which file and line it knows.
//
// It reads files and starts no process, so it may look at a folder whose code
// nobody trusts yet. What only running code can tell (the framework's version,
// the static folders it declares) is not its business: the worker reports that
// after the import. It is no Python parser either: it looks at the top level of
// a few well-known files and would rather say that it found nothing than guess.
package detect

import (
	"fmt"
	"os"
	"path/filepath"
)

// Options narrows the search down. The zero value looks for everything.
type Options struct {
	// App is the application that the operator named: "module:callable",
	// "module:factory()", or "module" alone. Empty: look for one.
	App Named
	// Python is the interpreter that the operator named: a path, a name on
	// PATH, or the folder of a virtual environment. Empty: look for one.
	Python Named
	// ProjectPython is the same as the project itself names it. It counts where
	// there is no virtual environment.
	ProjectPython Named
	// Settings is what DJANGO_SETTINGS_MODULE will be for the application. Empty:
	// what it is in the environment.
	Settings Named
	// Alone keeps the search inside of the folder, for one of many that a server
	// hosts: the variables VIRTUAL_ENV and DJANGO_SETTINGS_MODULE belong to whoever
	// started the server, and the folders above to all.
	Alone bool
}

// Named is something that was named, and where.
type Named struct {
	Value string
	File  string // absolute; empty for the command line
	Line  int
}

// Result is what Folder found.
type Result struct {
	// Dir is the absolute path of the folder that was looked at.
	Dir string
	// ImportDir is the absolute path that the application is imported from:
	// Dir, or its src folder.
	ImportDir string
	// Framework is what the application is written with.
	Framework Framework
	// Name is what people call the project: its Python package, else its folder.
	Name string
	// App is the application as "module:callable" or "module:factory()".
	App string
	// Settings is Django's settings module, empty for other frameworks and
	// where the project computes it.
	Settings string
	// Env holds variables, as "NAME=value", that the application needs and
	// that nothing in the project sets.
	Env []string
	// Files are the files that told what it is, slash-separated and relative to
	// Dir, for the line that announces the project.
	Files []string
	// Python is the interpreter to run it with.
	Python Interpreter
	// RequiresPython is requires-python of pyproject.toml as it stands there.
	RequiresPython string
	// Reasons says why, in the order of the decisions.
	Reasons []Reason
}

// Reason is one decision and the place that it rests on.
type Reason struct {
	// What is a clause such as "settings module mysite.settings".
	What string
	// File is slash-separated, relative to Result.Dir where it lies inside and
	// absolute elsewhere; empty where no file was the reason.
	File string
	// Line counts from 1; 0 means the file as a whole.
	Line int
}

// String gives the reason with its place, as file:line.
func (r Reason) String() string {
	switch {
	case r.File == "":
		return r.What
	case r.Line == 0:
		return r.What + " (" + r.File + ")"
	}
	return fmt.Sprintf("%s (%s:%d)", r.What, r.File, r.Line)
}

// Folder looks at dir and says what to run there. The error is an *Error that
// wraps ErrNothing, ErrASGI, ErrAmbiguous or ErrInterpreter, or what the file
// system said. It is safe for concurrent use; it consults the environment
// variables VIRTUAL_ENV, PATH and DJANGO_SETTINGS_MODULE.
func Folder(dir string, opt Options) (*Result, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("detect: resolve %s: %w", dir, err)
	}
	if _, err := listing(abs); err != nil {
		return nil, err
	}
	f := &finder{res: Result{Dir: abs, Name: filepath.Base(abs)}, settings: opt.Settings, alone: opt.Alone}
	if f.settings.Value == "" && !f.alone {
		f.settings = Named{Value: os.Getenv(SettingsVar)}
	}
	if opt.App.Value != "" {
		err = f.named(opt.App)
	} else {
		err = f.search()
	}
	if err != nil {
		return nil, err
	}
	if err := f.interpreter(opt.Python, opt.ProjectPython); err != nil {
		return nil, err
	}
	return &f.res, nil
}

// finder carries one search; it belongs to one goroutine.
type finder struct {
	res      Result
	settings Named // Django's settings module as the application's environment has it
	alone    bool
}

// because notes a decision. file is absolute or empty.
func (f *finder) because(file string, line int, format string, args ...any) {
	f.res.Reasons = append(f.res.Reasons, Reason{What: fmt.Sprintf(format, args...), File: f.rel(file), Line: line})
}

// rel is file as people are to read it: relative inside the folder.
func (f *finder) rel(file string) string {
	if file == "" {
		return ""
	}
	rel, err := filepath.Rel(f.res.Dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}
