package control

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// operation is a change that is asked for.
type operation struct {
	name   webapps.ContextName // of the application; the zero value if it is about all
	all    bool
	do     func(context.Context) error
	begun  func() bool // whether it has got so far that steps are told; nil: at once
	result Event       // beside how it went
}

// post answers a wish for a change: decide says which.
func (h *Handler) post(name string, decide func(*http.Request) (*operation, error)) {
	h.mux.HandleFunc("POST "+Base+name, func(w http.ResponseWriter, r *http.Request) {
		o, err := decide(r)
		if err != nil {
			e := newError(err)
			refuse(w, e.status(), e)
			return
		}
		log := h.log
		if !o.all {
			log = log.With("app", o.name.String())
		}
		log.Info("asked for at the control socket", "what", name)
		h.perform(w, r, o)
	})
}

// perform does it, and tells each step.
func (h *Handler) perform(w http.ResponseWriter, r *http.Request, o *operation) {
	var changed <-chan struct{}
	if m := h.backend.Manager(); m != nil {
		c, stop := m.Subscribe()
		defer stop()
		changed = c
	}
	done := make(chan error, 1)
	go func() { done <- o.do(r.Context()) }()
	p := &progress{w: w}
	for {
		select {
		case <-changed:
			if o.begun == nil || o.begun() {
				p.step(h.step(o))
			}
		case err := <-done:
			if err != nil {
				p.fail(newError(err))
				return
			}
			h.drained(r.Context(), changed, p, o)
			o.result.Done = true
			if s := h.look(o); s != nil {
				a := h.describe(s)
				o.result.App = &a
			}
			p.end(o.result)
			return
		}
	}
}

// drained waits until the requests of what was replaced have ended. It is done by
// then: whoever leaves changes nothing.
func (h *Handler) drained(ctx context.Context, changed <-chan struct{}, p *progress, o *operation) {
	for {
		s := h.look(o)
		if s == nil || s.Draining == 0 || s.Deploying {
			return
		}
		p.step(StepDraining)
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// look is the application that it is about, nil if there is none.
func (h *Handler) look(o *operation) *webapps.Status {
	if o.all {
		return nil
	}
	for _, s := range h.backend.Apps() {
		if s.Name == o.name {
			return &s
		}
	}
	return nil
}

func (h *Handler) step(o *operation) string {
	if s := h.look(o); s != nil {
		return string(s.Step)
	}
	return ""
}

// progress is the answer to a wish for a change. Until there is a step to tell,
// the status of the answer is open.
type progress struct {
	w     http.ResponseWriter
	lines *lines
	last  string
}

// step tells a step, once.
func (p *progress) step(s string) {
	if s == "" || s == p.last {
		return
	}
	p.last = s
	p.tell(Event{Step: s})
}

func (p *progress) tell(e Event) {
	if p.lines == nil {
		p.lines = newLines(p.w)
	}
	p.lines.send(e)
	_ = p.lines.flush() // a client that has left ends the context
}

func (p *progress) fail(e *Error) {
	if p.lines == nil {
		refuse(p.w, e.status(), e)
		return
	}
	p.tell(Event{Error: e})
}

func (p *progress) end(e Event) { p.tell(e) }

// manager is who changes single applications.
func (h *Handler) manager() (Manager, error) {
	if m := h.backend.Manager(); m != nil {
		return m, nil
	}
	return nil, &Error{
		Code: Alone, Message: "this server runs no folder of applications",
		Hint: "gatehouse reload loads all code anew; applications in a folder webapps can be changed one by one",
	}
}

// one decides for a method that takes nothing but a name.
func (h *Handler) one(do func(Manager, context.Context, webapps.ContextName) error) func(*http.Request) (*operation, error) {
	return func(r *http.Request) (*operation, error) {
		m, err := h.manager()
		if err != nil {
			return nil, err
		}
		s, err := h.asked(r)
		if err != nil {
			return nil, err
		}
		return &operation{name: s.Name, do: func(ctx context.Context) error { return do(m, ctx, s.Name) }}, nil
	}
}

func (h *Handler) retire(r *http.Request) (*operation, error) {
	now := r.URL.Query().Get("now") != ""
	return h.one(func(m Manager, ctx context.Context, name webapps.ContextName) error { return m.Retire(ctx, name, now) })(r)
}

// reload is about one application, or about the whole server.
func (h *Handler) reload(r *http.Request) (*operation, error) {
	if r.URL.Query().Get("app") != "" && h.backend.Manager() != nil {
		return h.one(Manager.Reload)(r)
	}
	if r.URL.Query().Get("app") != "" {
		if _, err := h.asked(r); err != nil {
			return nil, err
		}
	}
	o := &operation{all: true}
	o.do = func(ctx context.Context) (err error) {
		o.result.Restart, err = h.backend.Reload(ctx)
		return err
	}
	return o, nil
}

// deploy takes an archive in. Its name is the one that is asked for, whether there
// is such an application or not.
func (h *Handler) deploy(r *http.Request) (*operation, error) {
	m, err := h.manager()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	name, err := webapps.ParseName(q.Get("app"))
	if err != nil {
		return nil, &Error{Code: Usage, Message: err.Error()}
	}
	ending := q.Get("ending")
	if ending == "" || archive.Ending("x"+ending) != ending {
		return nil, &Error{Code: Usage, Message: fmt.Sprintf("%q is no ending of an archive; .zip, .tar.gz, .tgz, .whl and .pyz are", ending)}
	}
	body := &received{r: r.Body}
	return &operation{
		name: name, begun: body.whole.Load, // before that an answer would cross the archive
		do: func(ctx context.Context) error {
			return m.Deploy(ctx, name, ending, body, webapps.DeployOptions{Discard: q.Get("discard") != ""})
		},
	}, nil
}

// received is a body that knows when it was read to its end.
type received struct {
	r     io.Reader
	whole atomic.Bool
}

// Read implements io.Reader.
func (b *received) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		b.whole.Store(true)
	}
	return n, err
}
