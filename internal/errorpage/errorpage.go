// Package errorpage is the one place that writes the error answers of handlers:
// a status, one sentence and the request identifier. What went wrong inside is
// not for visitors: Write never shows a traceback, and WriteFailure, which does,
// is for a developer alone.
//
// The engine answers malformed requests itself, in plain text, and does not use
// this package: no handler ever sees those.
package errorpage

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Write answers r with status (400 to 599) and one sentence for the visitor,
// which must hold nothing that visitors may not know. An empty sentence stands
// for the usual one of that status. Clients that accept text/html get a small
// page, others get plain text. Fields that the caller set before, such as Allow
// or Retry-After, are kept; those that described another body are removed. A site
// may have a page of its own for the status: see Pages.
//
// The caller must not have written anything yet.
func Write(w http.ResponseWriter, r *http.Request, status int, sentence string) {
	if sentence == "" {
		sentence = usual(status)
	}
	if contentType, body, ok := own(w, status); ok {
		send(w, r, status, contentType, body)
		return
	}
	id := requestid.Of(w)
	title := statusLine(status)
	if !wantsHTML(r) {
		send(w, r, status, plainText, title+"\n"+sentence+"\nRequest "+id+"\n")
		return
	}
	send(w, r, status, htmlText, fmt.Sprintf(page, html.EscapeString(title), html.EscapeString(title), html.EscapeString(sentence), html.EscapeString(id)))
}

// Unavailable answers r, for an application that does not run, that it may be
// tried again soon. The caller must not have written anything yet.
func Unavailable(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "5")
	Write(w, r, http.StatusServiceUnavailable, "")
}

// Pages is what a ResponseWriter, or one that it unwraps to, may have besides: a
// site's own pages for errors. It is false for a status that has none.
type Pages interface {
	ErrorPage(status int) (contentType, body string, ok bool)
}

// own is the page that the site of w has for a status.
func own(w http.ResponseWriter, status int) (contentType, body string, ok bool) {
	for {
		if p, is := w.(Pages); is {
			if contentType, body, ok = p.ErrorPage(status); ok {
				return contentType, body, true
			}
		}
		inner, is := w.(interface{ Unwrap() http.ResponseWriter })
		if !is {
			return "", "", false
		}
		w = inner.Unwrap()
	}
}

// What an answer can be written in.
const (
	plainText = "text/plain; charset=utf-8"
	htmlText  = "text/html; charset=utf-8"
)

// wantsHTML tells browsers from tools, which mostly accept anything.
func wantsHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

func statusLine(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

// send writes an answer that nobody keeps.
func send(w http.ResponseWriter, r *http.Request, status int, contentType, body string) {
	h := w.Header()
	for _, field := range []string{"Content-Encoding", "Etag", "Last-Modified", "Accept-Ranges"} {
		h.Del(field)
	}
	if status != http.StatusRequestedRangeNotSatisfiable { // there it tells the length that the file has
		h.Del("Content-Range")
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body)) // a client that left is no error of ours
	}
}

// usual is the sentence of a status for which the caller has nothing better.
func usual(status int) string {
	switch status {
	case http.StatusForbidden:
		return "You may not see this."
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not take that method."
	case http.StatusRequestEntityTooLarge:
		return "What was sent is larger than this server takes."
	case http.StatusInternalServerError:
		return "Something went wrong here. It has been recorded."
	case http.StatusBadGateway:
		return "The application did not answer."
	case http.StatusServiceUnavailable:
		return "The application is busy or not running. Please try again."
	case http.StatusGatewayTimeout:
		return "The application took too long."
	}
	return http.StatusText(status) + "."
}

// page takes the title twice, the sentence and the request identifier, all
// escaped. It refers to nothing outside itself.
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 20vh auto 0; padding: 0 1.25rem }
h1 { font-size: 1.5rem; margin: 0 0 .5rem }
small { color: GrayText; font-family: ui-monospace, monospace }
</style>
<h1>%s</h1>
<p>%s</p>
<p><small>Request %s</small></p>
</html>
`
