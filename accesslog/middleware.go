package accesslog

import (
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/recorder"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Middleware returns next with a line in l for each request, written when next
// has returned or panicked.
func (l *Log) Middleware(next http.Handler) http.Handler {
	return &handler{log: l, next: next}
}

type handler struct {
	log  *Log
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := h.log
	rec := recorder.New(w)
	e := Entry{Method: r.Method, Target: r.RequestURI, Proto: r.Proto, Host: r.Host}
	if l.format == JSON {
		e.Time = l.now() // the only form that says how long it took
	}
	returned := false
	defer func() {
		now := l.now()
		if l.format == JSON {
			e.Duration = now.Sub(e.Time)
		}
		e.Time = now
		e.Remote = r.RemoteAddr
		e.Status = status(rec, returned)
		e.Bytes = rec.Bytes()
		e.Referer = first(r.Header["Referer"])
		e.UserAgent = first(r.Header["User-Agent"])
		e.RequestID = first(w.Header()[requestid.Field])
		l.Add(&e)
	}()
	h.next.ServeHTTP(rec, r)
	returned = true
}

// status is what the client saw, or as near as a number can come to it.
func status(rec *recorder.Recorder, returned bool) int {
	switch {
	case rec.Status() != 0:
		return rec.Status()
	case rec.Hijacked():
		return http.StatusSwitchingProtocols
	case !returned:
		return http.StatusInternalServerError // a panic: the connection broke without an answer
	}
	return http.StatusOK // the engine answers so for a handler that wrote nothing
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

var _ http.Handler = (*handler)(nil)
