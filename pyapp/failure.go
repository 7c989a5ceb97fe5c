package pyapp

import (
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

// failure is what the application did wrong with one request, as its worker
// tells it. It is an errFailed.
type failure struct {
	sentence  string // with the place, as file:line
	traceback string // Python's; may be empty
	advice    bool   // it broke PEP 3333, and the sentence says what to return instead
	status    int    // it named a file that cannot be sent: what the client gets; else 0
}

// newFailure takes a copy of a frame of type FAILED.
func newFailure(f frame) *failure {
	return &failure{string(f.head), string(f.body), f.flags&flagAdvice != 0, f.status}
}

func (e *failure) Error() string { return e.sentence }

// Is reports whether target is errFailed.
func (e *failure) Is(target error) bool { return target == errFailed }

// what says it in a clause.
func (e *failure) what() string {
	switch {
	case e.status == http.StatusNotFound:
		return "the application named a file that is not there"
	case e.status != 0:
		return "the application named a file that cannot be sent"
	case e.advice:
		return "the application breaks PEP 3333"
	}
	return "the application raised an exception"
}

// show answers r with all that is known, for a developer.
func (e *failure) show(w http.ResponseWriter, r *http.Request, dir string) {
	errorpage.WriteFailure(w, r, errorpage.Failure{
		What: "T" + e.what()[1:] + ".", Summary: e.sentence, Traceback: e.traceback, Dir: dir,
		Note: "Only a developer on this machine sees this page. Everybody else gets a short one, without anything of the above.",
	})
}
