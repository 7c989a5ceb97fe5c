package static

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listing is what stands in a folder, as JSON and the page show it.
type listing struct {
	Path    string   `json:"path"` // of the request, decoded
	Entries []listed `json:"entries"`
	Cut     bool     `json:"truncated,omitempty"` // there are more than maxEntries names
}

// listed is one file or folder in a listing.
type listed struct {
	Name     string    `json:"name"` // what is not UTF-8 is replaced; URL has every byte
	URL      string    `json:"url"`  // relative to the listing
	Type     string    `json:"type"` // "file" or "directory"
	Size     int64     `json:"size"` // in bytes, 0 for a folder
	Modified time.Time `json:"modified"`
}

// Folder reports whether the entry is a folder.
func (l listed) Folder() bool { return l.Type == "directory" }

// list answers r with what is in the folder called name.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, name string) {
	l := listing{Path: r.URL.Path, Entries: []listed{}}
	if err := h.user.Do(func() error { return h.readFolders(&l, name) }); err != nil {
		h.fail(w, r, err)
		return
	}
	order := parseOrder(r.URL.Query().Get("sort"))
	slices.SortFunc(l.Entries, order.compare)

	var body bytes.Buffer
	fields := []field{
		{"Cache-Control", "no-cache"},
		{"Vary", "Accept"},
		{"X-Content-Type-Options", "nosniff"},
	}
	if prefersJSON(r.Header) {
		fields = append(fields, field{"Content-Type", "application/json"})
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(l); err != nil {
			h.fail(w, r, fmt.Errorf("static: encode listing: %w", err))
			return
		}
	} else {
		fields = append(fields, field{"Content-Type", "text/html; charset=utf-8"},
			field{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"})
		if err := h.page.Execute(&body, newView(l, h.prefix, order)); err != nil {
			h.fail(w, r, fmt.Errorf("static: make listing: %w", err))
			return
		}
	}
	writeWhole(w, r, http.StatusOK, fields, body.Bytes())
}

func newListed(base string, info fs.FileInfo) listed {
	l := listed{
		Name:     strings.ToValidUTF8(base, "\uFFFD"),
		URL:      "./" + url.PathEscape(base), // with ./ a colon makes no scheme
		Type:     "file",
		Size:     info.Size(),
		Modified: info.ModTime().UTC().Truncate(time.Second),
	}
	if info.IsDir() {
		l.URL += "/"
		l.Type = "directory"
		l.Size = 0
	}
	return l
}

// order is how a listing is sorted: by "name", "size" or "time". Folders come
// first in any case.
type order struct {
	by      string
	reverse bool
}

// parseOrder reads the sort parameter: a key of order, with a dash before it for
// the reverse. Anything else is by name.
func parseOrder(s string) order {
	by, reverse := strings.CutPrefix(s, "-")
	switch by {
	case "name", "size", "time":
		return order{by, reverse}
	}
	return order{by: "name"}
}

// String is the parameter that parseOrder reads.
func (o order) String() string {
	if o.reverse {
		return "-" + o.by
	}
	return o.by
}

func (o order) compare(a, b listed) int {
	if a.Folder() != b.Folder() {
		if a.Folder() {
			return -1
		}
		return 1
	}
	byName := cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.URL, b.URL))
	c := byName
	switch o.by {
	case "size":
		c = cmp.Compare(a.Size, b.Size)
	case "time":
		c = a.Modified.Compare(b.Modified)
	}
	if o.reverse {
		c = -c
	}
	return cmp.Or(c, byName) // those alike are always by name
}

// prefersJSON reports whether the client asks for JSON by name and does not like
// HTML as much (RFC 9110 section 12.5.1). A browser and curl get the page.
func prefersJSON(h http.Header) bool {
	jsonWeight, htmlWeight := 0, 0
	for _, line := range h["Accept"] {
		for member := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(member, ";")
			weight, ok := qvalue(parameters)
			if !ok {
				continue
			}
			switch strings.ToLower(trimSpace(name)) {
			case "application/json":
				jsonWeight = max(jsonWeight, weight)
			case "text/html":
				htmlWeight = max(htmlWeight, weight)
			}
		}
	}
	return jsonWeight > htmlWeight
}
