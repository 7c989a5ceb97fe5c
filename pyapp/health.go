package pyapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// checkHealth asks the worker, which takes no other requests yet, for the path
// that tells whether the application works. The error is a *StartError.
func (w *worker) checkHealth(ctx context.Context) error {
	p := w.pool
	if p.config.Health == "" {
		return nil
	}
	refused := func(err error) *StartError {
		return &StartError{App: p.config.Name, Err: fmt.Errorf("health check of worker %d: %w", w.number, err)}
	}
	r, err := healthRequest(ctx, p.config.Mount+p.config.Health)
	if err != nil {
		return refused(err)
	}
	c := p.newCall()
	defer c.leave()
	c.id, c.method, c.path, c.ctx = requestid.New(), r.Method, r.URL.Path, ctx
	if err := p.takeIn(c, r); err != nil {
		return refused(err)
	}
	if err := w.submit(c); err != nil {
		return refused(err)
	}
	p.sweeper.wake(false)
	select {
	case <-c.answered:
	case <-ctx.Done():
		return refused(fmt.Errorf("%s was not answered in time", p.config.Health))
	}
	return w.judge(c, refused)
}

// healthRequest is the request of a client on this machine.
func healthRequest(ctx context.Context, target string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+target, nil)
	if err != nil {
		return nil, err
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	r.Header.Set("User-Agent", "Gatehouse-Health")
	r.Header.Set("Accept", "*/*")
	return r, nil
}

// submit gives the call to this worker and to no other, whatever happens.
func (w *worker) submit(c *call) error {
	p, l := w.pool, w.lanes[0]
	c.arrived, c.pinned = time.Now(), true
	p.mu.Lock()
	if !w.takesCalls() {
		p.mu.Unlock()
		return errLost
	}
	l.assign(c, c.arrived)
	p.mu.Unlock()
	c.refs.Add(1)
	if !l.send([]*call{c}, c.arrived, atOnce) {
		c.release()
		return errLost // and its load with it
	}
	return nil
}

// judge says what the answer to the health check means.
func (w *worker) judge(c *call, refused func(error) *StartError) error {
	path, log := w.pool.config.Health, "the log has more about request "+c.id
	if f, ok := errors.AsType[*failure](c.answer.err); ok {
		e := refused(fmt.Errorf("%s failed: %w", path, f))
		e.Traceback = f.traceback
		return e
	}
	switch status := c.answer.status; {
	case c.answer.err != nil:
		e := refused(fmt.Errorf("%s: %w", path, c.answer.err))
		e.Hint = log
		return e
	case status == http.StatusBadRequest && w.gen.info.Framework.Name == "Django":
		e := refused(fmt.Errorf("%s answered %d, not 2xx or 3xx", path, status))
		e.Hint = "the check has Host: localhost, which ALLOWED_HOSTS must hold; " + log
		return e
	case status < 200 || status > 399:
		e := refused(fmt.Errorf("%s answered %d, not 2xx or 3xx", path, status))
		e.Hint = log
		return e
	}
	return nil
}
