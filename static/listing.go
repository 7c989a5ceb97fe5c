package static

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxEntries is how many names of one folder are read: a longer page is of no use
// to anybody, and making it must not occupy the machine.
const maxEntries = 10_000

//go:embed listing.html
var listingSource string

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

// Folder reports whether the entry is a folder. Page only.
func (l listed) Folder() bool { return l.Type == "directory" }

// Href is URL for the page's links, where it is escaped already. Page only.
func (l listed) Href() template.URL { return template.URL(l.URL) }

// Exact is the size in bytes with its digits in groups. Page only.
func (l listed) Exact() string {
	digits := strconv.FormatInt(l.Size, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:] // narrow no-break space
	}
	return digits + " bytes"
}

// Human is the size with two or three figures. Page only.
func (l listed) Human() string {
	const units = "kMGTPE"
	if l.Size < 1000 {
		return strconv.FormatInt(l.Size, 10) + " B"
	}
	size, unit := float64(l.Size)/1000, 0
	for size >= 999.5 && unit < len(units)-1 {
		size, unit = size/1000, unit+1
	}
	format := "%.0f %cB"
	if size < 9.95 {
		format = "%.1f %cB"
	}
	return fmt.Sprintf(format, size, units[unit])
}

// list answers r with what is in the folder called name.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, name string) {
	l := listing{Path: r.URL.Path, Entries: []listed{}}
	if err := h.readFolders(&l, name); err != nil {
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

// readFolders adds to l what is in the folder called name in each root. A name
// that an earlier root has hides the later ones'.
func (h *Handler) readFolders(l *listing, name string) error {
	seen := map[string]bool{}
	var first error
	for _, r := range h.roots {
		if err := h.readFolder(l, r, name, seen); err != nil && !missing(err) {
			first = cmp.Or(first, err)
		}
	}
	return first
}

func (h *Handler) readFolder(l *listing, r *root, name string, seen map[string]bool) error {
	top, err := r.acquire()
	if err != nil {
		return err
	}
	defer r.release(top)
	real, err := h.admit(top.Root, name)
	if err != nil {
		return err
	}
	dir, err := descend(top.Root, real)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := readNames(dir)
	if err != nil {
		return fmt.Errorf("static: list %q: %w", name, err)
	}
	// Whether the folder belongs to a project is the same for all its entries.
	project := h.project
	if project == ProjectAuto {
		project = ProjectNever
		if inProject(top.Root, real) {
			project = ProjectAlways
		}
	}
	for _, base := range names {
		if len(l.Entries) == maxEntries {
			l.Cut = true
			return nil
		}
		if seen[base] {
			continue
		}
		info, ok := h.visible(top.Root, dir, path.Join(name, base), base, project)
		if !ok {
			continue
		}
		seen[base] = true
		l.Entries = append(l.Entries, newListed(base, info))
	}
	return nil
}

// visible reports whether the entry base of dir would be served as name, and what
// it is. It asks in the same way as find and load, for the least possible work.
func (h *Handler) visible(top, dir *os.Root, name, base string, project ProjectRule) (fs.FileInfo, bool) {
	if hidden(top, name, project) {
		return nil, false
	}
	info, err := dir.Lstat(base)
	if err != nil {
		return nil, false
	}
	if info.Mode()&fs.ModeSymlink != 0 && h.follow {
		real, err := h.admit(top, name)
		if err != nil {
			return nil, false
		}
		if info, err = top.Lstat(real); err != nil {
			return nil, false
		}
		if info.Mode().IsRegular() && !readableBy(top, real, info) {
			return nil, false
		}
		return info, info.IsDir() || info.Mode().IsRegular()
	}
	if info.IsDir() {
		return info, true
	}
	return info, info.Mode().IsRegular() && readableBy(dir, base, info)
}

// readableBy reports whether the server may read the file. Only where not
// everybody may is it tried.
func readableBy(dir *os.Root, name string, info fs.FileInfo) bool {
	if info.Mode().Perm()&0o444 == 0o444 {
		return true
	}
	f, _, err := openFollowing(dir, name)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// readNames returns the names in dir, not more than can be shown and one. Hidden
// ones count: what a client may not see may not cost more either.
func readNames(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(maxEntries + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
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
	c := 0
	switch o.by {
	case "size":
		c = cmp.Compare(a.Size, b.Size)
	case "time":
		c = a.Modified.Compare(b.Modified)
	}
	if c == 0 {
		c = cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.URL, b.URL))
	}
	if o.reverse {
		return -c
	}
	return c
}

// view is a listing with what only the page needs.
type view struct {
	listing
	Title   string
	Crumbs  []crumb // from the top down to the folder itself
	Columns []column
	Parent  bool
	Folders int
	Files   int
}

// crumb is one folder on the way to the one listed.
type crumb struct {
	Name string
	Href template.URL // "" for the folder itself
}

// column is the head of a column, a link that sorts by it.
type column struct {
	Name  string
	Class string
	Href  template.URL
	Arrow string // how the page is sorted by it now, if it is
	Sort  string // the same for those who do not see it, for aria-sort
}

func newView(l listing, prefix string, by order) view {
	v := view{listing: l, Title: strings.ToValidUTF8(l.Path, "\uFFFD")}
	rest := strings.Trim(strings.TrimPrefix(l.Path, prefix), "/")
	var elements []string
	if rest != "" {
		elements = strings.Split(rest, "/")
	}
	v.Parent = len(elements) > 0
	for i, name := range append([]string{strings.Trim(prefix, "/")}, elements...) {
		c := crumb{Name: strings.ToValidUTF8(name, "\uFFFD")}
		if up := len(elements) - i; up > 0 {
			c.Href = template.URL(strings.Repeat("../", up))
		}
		v.Crumbs = append(v.Crumbs, c)
	}
	v.Crumbs[0].Name = cmp.Or(v.Crumbs[0].Name, "/")
	for _, c := range []struct{ name, by string }{{"Name", "name"}, {"Size", "size"}, {"Modified", "time"}} {
		next := order{by: c.by}
		col := column{Name: c.name, Class: c.by}
		if by.by == c.by {
			next.reverse = !by.reverse
			col.Arrow, col.Sort = "▲", "ascending"
			if by.reverse {
				col.Arrow, col.Sort = "▼", "descending"
			}
		}
		col.Href = template.URL("?sort=" + next.String())
		v.Columns = append(v.Columns, col)
	}
	for _, e := range l.Entries {
		if e.Folder() {
			v.Folders++
		} else {
			v.Files++
		}
	}
	return v
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
			switch strings.ToLower(strings.Trim(name, " \t")) {
			case "application/json":
				jsonWeight = max(jsonWeight, weight)
			case "text/html":
				htmlWeight = max(htmlWeight, weight)
			}
		}
	}
	return jsonWeight > htmlWeight
}
