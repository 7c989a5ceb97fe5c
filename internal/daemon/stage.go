package daemon

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// stage stands before an application in development. Code that cannot be loaded
// is shown to developers until it is mended; all others see the version before
// it, if there was one.
type stage struct {
	app    http.Handler // nil if none could be loaded yet
	broken *atomic.Pointer[pyapp.StartError]
	dir    string
}

// ServeHTTP implements http.Handler.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.broken.Load(); err != nil && isDeveloper(r) {
		s.show(w, r, err)
		return
	}
	if s.app == nil {
		w.Header().Set("Retry-After", fmt.Sprint(askAgain))
		errorpage.Write(w, r, http.StatusServiceUnavailable, "")
		return
	}
	s.app.ServeHTTP(w, r)
}

// askAgain is after how many seconds a page about code that cannot be loaded
// looks whether it can by now.
const askAgain = 2

func (s *stage) show(w http.ResponseWriter, r *http.Request, err *pyapp.StartError) {
	summary := err.Err.Error()
	if err.Path != "" && err.Line > 0 {
		summary = fmt.Sprintf("%s:%d: %s", err.Path, err.Line, summary)
	}
	what := "The application cannot be loaded."
	if err.Hint != "" {
		what = "The application cannot be loaded; " + err.Hint
	}
	others := "everybody else gets the version before."
	if s.app == nil {
		others = "everybody else is told to come back later."
	}
	errorpage.WriteFailure(w, r, errorpage.Failure{
		What: what, Summary: summary, Traceback: err.Traceback, Dir: s.dir, Retry: askAgain,
		Note: "This page looks again every two seconds: mend the code, and the site is back. Only a developer on this machine sees it; " + others,
	})
}

var _ http.Handler = (*stage)(nil)
