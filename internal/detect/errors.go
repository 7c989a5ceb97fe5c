package detect

import (
	"errors"
	"fmt"
	"strings"
)

// What Folder's error wraps.
var (
	// ErrNothing: the folder holds no application that could be run.
	ErrNothing = errors.New("nothing to run here")
	// ErrASGI: there is an application, but it speaks ASGI only.
	ErrASGI = errors.New("ASGI is not hosted yet")
	// ErrAmbiguous: there are several applications and nothing says which.
	ErrAmbiguous = errors.New("several applications")
	// ErrInterpreter: there is an application but no Python to run it with.
	ErrInterpreter = errors.New("no Python interpreter")
)

// Error says what is wrong with a folder, for the person who typed the command.
type Error struct {
	// Path is the folder, or the file and line as file:line, that is meant.
	Path string
	// Err is one of the package's sentinels, possibly wrapped with detail, or
	// what the file system said.
	Err error
	// Looked lists what was looked for in vain, one short line each.
	Looked []string
	// Hint says what to do about it; may be empty.
	Hint string
}

// Error gives one line: the place and the cause, without Looked and Hint.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Detail gives what belongs below the line of Error: what was looked for and
// the hint, each on a line of its own, without a final newline. May be empty.
func (e *Error) Detail() string {
	var lines []string
	if len(e.Looked) > 0 {
		lines = append(lines, "looked for:")
		for _, l := range e.Looked {
			lines = append(lines, "  "+l)
		}
	}
	if e.Hint != "" {
		lines = append(lines, e.Hint)
	}
	return strings.Join(lines, "\n")
}

var _ error = (*Error)(nil)
