package pyapp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// StartError says why an application cannot be run.
type StartError struct {
	App       string // the application's name
	Path      string // the file or folder to look at, "" if unknown
	Line      int    // 0 if unknown
	Err       error  // the cause, without App and Path
	Traceback string // Python's, several lines; "" if there is none
	Hint      string // what to do, one sentence; "" if we do not know
}

// Error implements error. It is one line, without the hint.
func (e *StartError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot start %s: ", e.App)
	if e.Path != "" {
		b.WriteString(e.Path)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// startError makes the error for the operator from what went wrong with the
// template process.
func startError(c *Config, err error) *StartError {
	if e, ok := errors.AsType[*StartError](err); ok {
		return e // of the health check
	}
	e := &StartError{App: c.Name, Err: err}
	f, ok := errors.AsType[*pyproc.Failure](err)
	if !ok {
		return e
	}
	e.Path, e.Line, e.Traceback, e.Err = f.Path, f.Line, f.Traceback, errors.New(f.Exception)
	if inside, ok := strings.CutPrefix(f.Path, c.Dir+"/"); ok {
		e.Path = inside
	}
	module, _, _ := strings.Cut(c.App, ":")
	switch {
	case f.Module != "" && (f.Module == module || strings.HasPrefix(module, f.Module+".")):
		e.Hint = fmt.Sprintf("looked for %s in %s", module, c.Dir)
	case f.Module != "":
		e.Hint = fmt.Sprintf("looked with %s; is the requirement installed in that environment?", c.Python)
	}
	return e
}
