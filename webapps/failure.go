package webapps

import (
	"errors"
	"fmt"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// What the errors of a Deployer's methods wrap.
var (
	// ErrNoApp: there is no application of that name.
	ErrNoApp = errors.New("no such application")
	// ErrNoPrevious: there is nothing to roll back to.
	ErrNoPrevious = errors.New("no previous deployment is kept")
	// ErrFolder: the application is a folder of the operator's, whose place no archive
	// takes unasked.
	ErrFolder = errors.New("it is a folder in webapps, not an archive")
	// ErrOnly: the application is the only version of its path that runs.
	ErrOnly = errors.New("no newer version runs that could take its place")
	// ErrClosed: the Deployer is closed.
	ErrClosed = errors.New("the server is ending")
)

// Failure says why an application could not be deployed, for whoever looks after
// it: it may hold paths and source text, and is nothing for visitors.
type Failure struct {
	// Name is the application's; Config.Load need not fill it in.
	Name ContextName
	// Err is the cause, in one line.
	Err error
	// Hint is what to do about it, one or more lines; may be empty.
	Hint string
	// Traceback is Python's, or the end of what a command has printed,
	// several lines; may be empty.
	Traceback string
}

// Error is one line.
func (f *Failure) Error() string {
	if _, ok := f.Err.(*pyapp.StartError); ok {
		return f.Err.Error() // which says as much: cannot start /shop: …
	}
	return fmt.Sprintf("cannot deploy %v: %v", f.Name, f.Err)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// newFailure makes err, of whatever package, the failure of that application.
func newFailure(name ContextName, err error) *Failure {
	f := &Failure{Name: name, Err: err}
	if e, ok := errors.AsType[*Failure](err); ok {
		*f = *e // of Config.Load, which does not know the name
		f.Name = name
		return f
	}
	if e, ok := errors.AsType[*pyapp.StartError](err); ok {
		f.Hint, f.Traceback = e.Hint, e.Traceback
	}
	if e, ok := errors.AsType[*detect.Error](err); ok {
		f.Hint = e.Detail()
	}
	if e, ok := errors.AsType[*commandError](err); ok {
		f.Traceback = e.output
	}
	if e, ok := errors.AsType[*hintError](err); ok {
		f.Hint = e.hint
	}
	return f
}

// RefusedError refuses what cannot be done to an application whatever its state is.
type RefusedError struct {
	What string // one line
	Hint string // what to do instead, one line
}

// Error is the line.
func (e *RefusedError) Error() string { return e.What }

// hintError is an error that knows what to do about it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// WrittenError refuses a deployment that would throw away what the running one
// has written into its own folder.
type WrittenError struct {
	Dir   string   // the folder
	Files []string // slash-separated, relative to Dir, sorted; the first hundred
	More  int      // how many there are beyond these
}

// Error is one line that names the first file.
func (e *WrittenError) Error() string {
	n := len(e.Files) + e.More
	if n == 1 {
		return fmt.Sprintf("the running version has written %s into its own folder, %s, which would be lost", e.Files[0], e.Dir)
	}
	return fmt.Sprintf("the running version has written %s and %d more into its own folder, %s, which would be lost", e.Files[0], n-1, e.Dir)
}

var (
	_ error = (*Failure)(nil)
	_ error = (*WrittenError)(nil)
	_ error = (*RefusedError)(nil)
)
