package cgi

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

// A failure is why a request is not answered by its script. It is an error.
type failure struct {
	status int    // to answer with
	reason string // for the log, "" if it is nothing to log
	hint   string // what whoever reads the log can do, "" if nothing
	err    error  // cause, nil if there is none
}

// Error implements error.
func (f *failure) Error() string {
	if f.err != nil {
		return f.reason + ": " + f.err.Error()
	}
	return f.reason
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

var (
	errNotFound = &failure{status: http.StatusNotFound}
	errTooLarge = &failure{status: http.StatusRequestEntityTooLarge}
	errBusy     = &failure{status: http.StatusServiceUnavailable, reason: "too many requests are waiting for a script to end"}
	errWaited   = &failure{status: http.StatusServiceUnavailable, reason: "waited too long for a script to end"}
	errClosed   = &failure{status: http.StatusServiceUnavailable}
	errOverdue  = &failure{status: http.StatusGatewayTimeout, reason: "the script took too long and was ended"}
	errStalled  = &failure{status: http.StatusGatewayTimeout, reason: "the script stopped in the middle of its answer and was ended"}
	errFlood    = &failure{status: http.StatusBadGateway, reason: "the script printed more than it may and was ended"}
	errGone     = &failure{reason: "the client has gone"}
)

// forbidden is a failure about a file that is there and is not run.
func forbidden(reason, hint string) *failure {
	return &failure{status: http.StatusForbidden, reason: reason, hint: hint}
}

// badGateway is a failure of the script itself.
func badGateway(reason, hint string) *failure {
	return &failure{status: http.StatusBadGateway, reason: reason, hint: hint}
}

// level is how bad the failure is for whoever runs the server.
func (f *failure) level() slog.Level {
	switch f.status {
	case http.StatusForbidden, http.StatusServiceUnavailable:
		return slog.LevelWarn
	case 0: // the client's own affair
		return slog.LevelDebug
	}
	return slog.LevelError
}

// retryAfter is in seconds: most scripts have ended by then.
const retryAfter = "5"

// refuse answers in place of the script. Nothing has been written yet.
func (x *exchange) refuse(err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{status: http.StatusInternalServerError, reason: "the request could not be served", err: err}
	}
	x.record(f)
	switch f.status {
	case 0:
		panic(http.ErrAbortHandler) // nobody is there to be answered
	case http.StatusServiceUnavailable:
		x.w.Header().Set("Retry-After", retryAfter)
	case http.StatusNotFound:
		if other := x.h.config.NotFound; other != nil {
			other.ServeHTTP(x.w, x.r)
			return
		}
	}
	errorpage.Write(x.w, x.r, f.status, "")
}

// record writes the failure to the log.
func (x *exchange) record(f *failure) {
	if f.reason == "" {
		return
	}
	attrs := []any{"request", x.id, "method", x.r.Method, "path", x.r.URL.Path}
	if x.script != nil {
		attrs = append(attrs, "script", x.script.path)
	}
	if f.err != nil {
		attrs = append(attrs, "error", f.err)
	}
	if f.hint != "" {
		attrs = append(attrs, "hint", f.hint)
	}
	x.h.log.Log(x.r.Context(), f.level(), f.reason, attrs...)
}
