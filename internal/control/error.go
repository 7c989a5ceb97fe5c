package control

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Code says what kind of error it is, for programs.
type Code string

// The codes.
const (
	Usage     Code = "usage"            // the request cannot be right
	NoApp     Code = "no_app"           // there is no application of that name
	Ambiguous Code = "ambiguous"        // several versions have that path
	Alone     Code = "alone"            // the server runs no folder of applications, of which one could be changed
	Refused   Code = "refused"          // the application is not in a state in which this could be done
	WouldLose Code = "would_lose_files" // discard overrides it
	TooLarge  Code = "too_large"        // the archive is
	Failure   Code = "failed"           // the application is at fault
	Ending    Code = "ending"           // the server ends
	Internal  Code = "internal"         // the server is at fault, or its surroundings
)

// Error is what went wrong, for people and programs.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"` // one sentence
	// Hint is what to do about it, one or more lines.
	Hint string `json:"hint,omitempty"`
	// Traceback is Python's, or what a command has printed.
	Traceback string `json:"traceback,omitempty"`
	// Files are those that would be lost, the first hundred; More is how many there
	// are beyond them.
	Files []string `json:"files,omitempty"`
	More  int      `json:"more,omitempty"`
}

// Failed is the body of an answer that is not 200.
type Failed struct {
	Error *Error `json:"error"`
}

// Error is the sentence.
func (e *Error) Error() string { return e.Message }

// status is the answer's.
func (e *Error) status() int {
	switch e.Code {
	case Usage:
		return http.StatusBadRequest
	case NoApp:
		return http.StatusNotFound
	case Ambiguous, Alone, Refused, WouldLose:
		return http.StatusConflict
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Failure:
		return http.StatusUnprocessableEntity
	case Ending:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// newError makes err, of whatever package, an Error.
func newError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Code: Internal, Message: strings.TrimPrefix(err.Error(), "webapps: ")}
	if f, ok := errors.AsType[*webapps.Failure](err); ok {
		e.Code, e.Message, e.Hint, e.Traceback = Failure, f.Error(), f.Hint, f.Traceback
	}
	if s, ok := errors.AsType[*pyapp.StartError](err); ok {
		e.Code, e.Message, e.Hint, e.Traceback = Failure, s.Error(), s.Hint, s.Traceback
	}
	if w, ok := errors.AsType[*webapps.WrittenError](err); ok {
		e.Code, e.Files, e.More = WouldLose, w.Files, w.More
	}
	if r, ok := errors.AsType[*webapps.RefusedError](err); ok {
		e.Code, e.Hint = Refused, r.Hint
	}
	for _, c := range []struct {
		err  error
		code Code
	}{
		{webapps.ErrNoApp, NoApp},
		{webapps.ErrNoPrevious, Refused},
		{webapps.ErrOnly, Refused},
		{webapps.ErrFolder, Refused},
		{webapps.ErrClosed, Ending},
		{archive.ErrTooLarge, TooLarge},
	} {
		if errors.Is(err, c.err) {
			e.Code = c.code
		}
	}
	return e
}
