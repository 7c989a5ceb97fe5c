package static

import (
	"net/http"
	"path"
	"strings"
)

// missing answers a request for a path that has no file: with another file where
// the configuration has one for it.
func (h *Handler) missing(w http.ResponseWriter, r *http.Request, name string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.notFound(w, r)
		return
	}
	for _, try := range h.candidates(name) {
		res, found, err := h.lookup(h.prefix+try, try, false)
		if err == nil && found == foundFile {
			h.respond(w, r, res)
			return
		}
	}
	h.notFound(w, r)
}

// candidates are the files that may answer for name, in the order to try them.
func (h *Handler) candidates(name string) []string {
	var all []string
	for _, try := range h.try {
		ending, star := strings.CutPrefix(try, "*")
		switch {
		case !star:
			all = append(all, strings.TrimPrefix(try, "/"))
		case name != ".": // which has no name to put an ending behind
			all = append(all, name+ending)
		}
	}
	if h.fallback != "" && !strings.Contains(strings.TrimPrefix(path.Base(name), "."), ".") {
		all = append(all, h.fallback)
	}
	return all
}
