package manager

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

const (
	// keptSlow is how many slow requests are kept: a flood of other records does not
	// carry them away.
	keptSlow = 50
	// readMost bounds how many records are read at once.
	readMost = 1000
)

// slowRequests collects the records of slow requests from the log. The zero value
// has none. Safe for concurrent use.
type slowRequests struct {
	mu  sync.Mutex
	all []logbook.Record // the oldest first
}

// follow reads the book until ctx ends or the book is closed.
func (s *slowRequests) follow(ctx context.Context, book *logbook.Book) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	var number uint64
	for {
		records, last, _, more := book.After(logbook.All, number, readMost)
		number = last
		s.collect(records)
		if book.Closed() {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
		pause.Reset(hurry) // what comes together is read together
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *slowRequests) collect(records []logbook.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if r.Message == pyapp.SlowRequest {
			s.all = append(s.all, r)
		}
	}
	s.all = slices.Delete(s.all, 0, max(0, len(s.all)-keptSlow))
}

// of returns those of app, "" for all, the newest first, most at most.
func (s *slowRequests) of(app string, most int) (records []logbook.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.all) {
		if len(records) < most && (app == "" || r.App == app) {
			records = append(records, r)
		}
	}
	return records
}
