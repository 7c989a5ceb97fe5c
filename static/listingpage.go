package static

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

//go:embed listing.html
var listingSource string

// newListingPage returns the template that shows a view.
func newListingPage() *template.Template {
	return template.Must(template.New("listing").Parse(listingSource))
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

// Href is URL for the page's links, where it is escaped already. Page only.
func (l listed) Href() template.URL { return template.URL(l.URL) }

// Exact is the size in bytes with its digits in groups. Page only.
func (l listed) Exact() string {
	if l.Size == 1 {
		return "1 byte"
	}
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
