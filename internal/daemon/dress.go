package daemon

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/recorder"
)

// dress is what a site or a route gives answers beside their content: changes to
// their fields, and pages for errors. It is not changed once it is made.
type dress struct {
	rules []config.HeaderRule
	pages map[int]errorContent
}

// errorContent is the page of an error.
type errorContent struct{ contentType, body string }

// over is d with what another says on top.
func (d *dress) over(rules []config.HeaderRule, pages []config.ErrorPage) (*dress, error) {
	all := &dress{pages: map[int]errorContent{}}
	for _, rule := range d.rules {
		if !slices.ContainsFunc(rules, func(r config.HeaderRule) bool { return r.Name == rule.Name }) {
			all.rules = append(all.rules, rule)
		}
	}
	all.rules = append(all.rules, rules...)
	maps.Copy(all.pages, d.pages)
	for _, page := range pages {
		body, err := page.Read()
		if err != nil {
			return nil, &Error{Err: fmt.Errorf("cannot read the page of status %d: %w", page.Status, err)}
		}
		kind := cmp.Or(mime.TypeByExtension(filepath.Ext(page.File)), "text/html; charset=utf-8")
		all.pages[page.Status] = errorContent{kind, string(body)}
	}
	return all, nil
}

// on is w with the dress, or w itself if there is none.
func (d *dress) on(w http.ResponseWriter) http.ResponseWriter {
	if len(d.rules) == 0 && len(d.pages) == 0 {
		return w
	}
	return &dressed{Recorder: recorder.New(w), dress: d}
}

// dressed is a ResponseWriter that changes the fields of what is answered. What
// the handler has set is changed when it sends its head, not before.
type dressed struct {
	*recorder.Recorder
	dress   *dress
	applied bool
}

// apply changes the fields, once.
func (w *dressed) apply() {
	if w.applied {
		return
	}
	w.applied = true
	h := w.Header()
	for _, rule := range w.dress.rules {
		if len(rule.Values) == 0 {
			h.Del(rule.Name)
			continue
		}
		h[rule.Name] = slices.Clone(rule.Values)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *dressed) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.apply()
	}
	w.Recorder.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *dressed) Write(p []byte) (int, error) {
	w.apply()
	return w.Recorder.Write(p)
}

// WriteString implements io.StringWriter.
func (w *dressed) WriteString(s string) (int, error) {
	w.apply()
	return w.Recorder.WriteString(s)
}

// ReadFrom implements io.ReaderFrom.
func (w *dressed) ReadFrom(src io.Reader) (int64, error) {
	w.apply()
	return w.Recorder.ReadFrom(src)
}

// WriteFinished hands a finished response on, unless its head has a field that
// is to be changed: then the caller has to write it in parts.
func (w *dressed) WriteFinished(status int, head, body []byte) (int, error) {
	for _, rule := range w.dress.rules {
		if hasField(head, rule.Name) {
			return 0, http.ErrNotSupported
		}
	}
	w.apply()
	return w.Recorder.WriteFinished(status, head, body)
}

// Flush implements http.Flusher.
func (w *dressed) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController.Flush calls.
func (w *dressed) FlushError() error {
	w.apply()
	return w.Recorder.FlushError()
}

// ErrorPage implements errorpage.Pages.
func (w *dressed) ErrorPage(status int) (contentType, body string, ok bool) {
	page, ok := w.dress.pages[status]
	return page.contentType, page.body, ok
}

// hasField reports whether field lines, each with its CRLF, have one of that
// name, which is canonical like theirs.
func hasField(lines []byte, name string) bool {
	for line := range bytes.Lines(lines) {
		if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
			return true
		}
	}
	return false
}

var (
	_ http.Flusher    = (*dressed)(nil)
	_ io.ReaderFrom   = (*dressed)(nil)
	_ io.StringWriter = (*dressed)(nil)
	_ errorpage.Pages = (*dressed)(nil)
)
