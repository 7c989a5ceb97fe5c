package pagescript

import (
	"context"
	"io/fs"
	"net/http"
	"time"
)

const (
	// settled is the age from which a file is taken for saved. Many programs write
	// over the file that is there: until then it may be empty, or half.
	settled = 100 * time.Millisecond
	// maxSettling is how often a request waits for that. A file that changes all
	// the time is taken as it is.
	maxSettling = 5
)

// settlingKey is the key of how often a request has waited.
type settlingKey struct{}

// settles returns for how long r has to wait until the file is settled, 0 if it
// need not. Systems empty a file before they note the time of that, so what is
// empty is looked at twice.
func settles(r *http.Request, file fs.FileInfo) time.Duration {
	n, _ := r.Context().Value(settlingKey{}).(int)
	switch {
	case n >= maxSettling:
		return 0
	case n == 0 && file.Size() == 0:
		return settled
	}
	return untilSettled(file.ModTime())
}

// untilSettled is the time until what was written then is settled, 0 if it is.
// Files from the future, which clocks of other machines make, are.
func untilSettled(written time.Time) time.Duration {
	age := time.Since(written)
	if age < 0 || age >= settled {
		return 0
	}
	return settled - age
}

// settling has a request look at its page again a little later.
type settling struct {
	again http.Handler
	wait  time.Duration
}

// ServeHTTP implements http.Handler.
func (s *settling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	t := time.NewTimer(s.wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler) // nobody is there to be answered
	}
	n, _ := ctx.Value(settlingKey{}).(int)
	s.again.ServeHTTP(w, r.WithContext(context.WithValue(ctx, settlingKey{}, n+1)))
}

var _ http.Handler = (*settling)(nil)
