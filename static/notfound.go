package static

import (
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// notFoundPages are the names of a site's own page for what it does not have, in
// the order looked for, below the root.
func notFoundPages() [2]string { return [2]string{"404.html", "NotFound.html"} }

// ServeNotFound answers r like a request for which there is no file, for handlers
// that are a part of the same site.
func (h *Handler) ServeNotFound(w http.ResponseWriter, r *http.Request) { h.notFound(w, r) }

// notFound answers a request for which there is no file: by the NotFound handler
// if there is one, else with the site's own page, else with the plain one.
func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	if h.other != nil {
		h.other.ServeHTTP(w, r)
		return
	}
	for _, name := range notFoundPages() {
		res, found, err := h.lookup(notFoundKey+name, name, false)
		if err != nil || found != foundFile || res.reps[0].body == nil {
			continue // without a page of its own the site still has a 404
		}
		h.respondNotFound(w, r, res.reps[0])
		return
	}
	errorpage.Write(w, r, http.StatusNotFound, "")
}

// notFoundKey comes before the names of these pages in the cache. No request's
// path begins so: they begin with a slash.
const notFoundKey = "404 "

// respondNotFound sends page with status 404. It is not the page's own address:
// so there are no validators, preconditions or ranges, and nobody keeps it.
func (h *Handler) respondNotFound(w http.ResponseWriter, r *http.Request, page *representation) {
	fields := []field{{"Content-Type", page.contentType}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}}
	writeWhole(w, r, http.StatusNotFound, fields, page.body)
}

// fail answers a request that met a fault: with "not found" where that is all
// there is to say, else with 500 and a line in the log.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if nofollow.Missing(err) {
		h.notFound(w, r)
		return
	}
	h.log.Error("static: cannot serve", "path", r.URL.Path, "err", err)
	errorpage.Write(w, r, http.StatusInternalServerError, "")
}
