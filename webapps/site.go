package webapps

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/owncookies"
	"github.com/seed-07905ac1/gatehouse/metrics"
)

// site is everything that answers at one path: the versions of an application.
// The table of routes leads to it. Safe for concurrent use.
type site struct {
	d        *Deployer
	path     string
	versions atomic.Pointer[[]member] // the newest first
}

// member is one version.
type member struct {
	name    ContextName
	meter   *metrics.Meter
	serving *instance // nil if there is none that could answer
	retired bool      // it gets no new sessions
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == s.path && s.path != "/" {
		toFolder(w, r)
		return
	}
	for {
		versions := *s.versions.Load()
		m, fresh := s.choose(versions, r)
		if m == nil {
			s.refuse(w, r, versions)
			return
		}
		if m.serving.inside.Enter() {
			s.serve(w, r, versions, m, fresh)
			return
		}
		// It left the list before it was shut: there is another list by now.
	}
}

// refuse answers where no version runs. It counts as an answer of the newest,
// which is the one to be mended.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, versions []member) {
	if len(versions) == 0 {
		errorpage.Unavailable(w, r) // the application has just gone
		return
	}
	versions[0].meter.Serve(http.HandlerFunc(errorpage.Unavailable), w, r)
}

// serve has the chosen version answer. The caller has entered it.
func (s *site) serve(w http.ResponseWriter, r *http.Request, versions []member, m *member, fresh bool) {
	i := m.serving
	defer i.inside.Exit()
	x := m.meter.Begin(w, r)
	returned := false
	defer func() { x.End(returned) }()
	s.answer(x, r, versions, m, fresh)
	returned = true
}

// answer is serve, entered and measured.
func (s *site) answer(w http.ResponseWriter, r *http.Request, versions []member, m *member, fresh bool) {
	i := m.serving
	i.used.Store(time.Now().UnixNano())
	r = owncookies.Strip(r) // of whatever application: / and /shop share a host
	if fresh && versioned(versions) {
		s.d.cookies.set(w, r, m.name)
	}
	o := i.opened.Load()
	if o == nil {
		var err error
		if o, err = s.d.wake(r.Context(), i); err != nil {
			if r.Context().Err() == nil || !errors.Is(err, context.Canceled) {
				errorpage.Unavailable(w, r)
			}
			return
		}
	}
	o.handler.ServeHTTP(w, r)
}

// choose picks the version for r: the one that its session belongs to, else the
// newest that runs. fresh reports that a session begins.
func (s *site) choose(versions []member, r *http.Request) (m *member, fresh bool) {
	if versioned(versions) {
		if version, ok := s.d.cookies.version(r, s.path); ok {
			for i := range versions {
				if m := &versions[i]; m.name.Version() == version && m.serving != nil && m.serving.runs() {
					return m, false
				}
			}
		}
	}
	for i := range versions {
		if m := &versions[i]; m.serving != nil && m.serving.runs() && !m.retired {
			return m, true
		}
	}
	return nil, false
}

// versioned reports whether sessions have to be told apart: not where there is
// one version without a number, as nearly everywhere.
func versioned(versions []member) bool {
	return len(versions) > 1 || len(versions) == 1 && versions[0].name.Version() != ""
}

// toFolder sends a client from /shop to /shop/, because the application's
// relative links count from there. A form that was posted is posted again. The
// answer is not kept: there may be another application tomorrow.
func toFolder(w http.ResponseWriter, r *http.Request) {
	to := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
	h := w.Header()
	h.Set("Location", to.String())
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

var _ http.Handler = (*site)(nil)
