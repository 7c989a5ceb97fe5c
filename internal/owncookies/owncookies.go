// Package owncookies keeps cookies of the server's own from what it serves: those
// of the manager page, which any application at the same host name would get,
// because cookies ignore ports (RFC 6265, section 8.5), and those by which sessions
// stay with a version.
package owncookies

import (
	"net/http"
	"slices"
	"strings"
)

// Prefix begins the names of all of them, behind __Host- where that is.
const Prefix = "gatehouse-"

// Strip returns r without them; r itself if it has none. With that of the manager
// page whoever gets it could act as its operator.
func Strip(r *http.Request) *http.Request {
	lines := r.Header["Cookie"]
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, Prefix) }) {
		return r
	}
	var kept []string
	for _, line := range lines {
		var pairs []string
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(pair, "=")
			if !isOwn(strings.TrimSpace(name)) && strings.TrimSpace(pair) != "" {
				pairs = append(pairs, strings.TrimSpace(pair))
			}
		}
		if len(pairs) > 0 {
			kept = append(kept, strings.Join(pairs, "; "))
		}
	}
	stripped := *r
	stripped.Header = r.Header.Clone()
	if stripped.Header.Del("Cookie"); len(kept) > 0 {
		stripped.Header["Cookie"] = kept
	}
	return &stripped
}

func isOwn(name string) bool { return strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), Prefix) }
