package pagescript

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// A page is a file with an application, as a request has found it.
type page struct {
	of   *applications
	path string // absolute
	name string // SCRIPT_NAME
	info fs.FileInfo
}

// dir is the folder of the page, where its modules are looked for.
func (p *page) dir() string { return filepath.Dir(p.path) }

var (
	errClosed = errors.New("pagescript: closed")
	errGone   = errors.New("pagescript: the page has gone")
	errNoRoom = errors.New("pagescript: as many applications as may be are busy")
)

// retryAfter is in seconds: most requests have ended by then.
const retryAfter = "5"

// ServeHTTP has the present version of the page answer.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, err := p.of.acquire(r.Context(), p)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	defer p.of.release(v)
	v.pool.ServeHTTP(w, r)
}

// refuse answers in place of the application.
func (p *page) refuse(w http.ResponseWriter, r *http.Request, err error) {
	log := p.of.config.Applications.Log.With("request", requestid.Of(w), "method", r.Method, "path", r.URL.Path)
	switch {
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // nobody is there to be answered
	case errors.Is(err, errGone):
		p.of.config.NotFound.ServeHTTP(w, r)
	case errors.Is(err, errNoRoom):
		log.Warn("no room for another application", "hint", "the number of pages that run at the same time is bounded")
		fallthrough
	case errors.Is(err, errClosed), errors.Is(err, context.Canceled):
		w.Header().Set("Retry-After", retryAfter)
		errorpage.Write(w, r, http.StatusServiceUnavailable, "")
	default:
		log.Error("the page cannot be loaded", "page", p.path, "error", err) // its traceback is in the log
		errorpage.Write(w, r, http.StatusInternalServerError, "")
	}
}

var _ http.Handler = (*page)(nil)
