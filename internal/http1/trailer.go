package http1

import (
	"slices"
	"strings"
)

// TrailerAllowed reports whether a field may stand in a trailer section: not
// one that frames, routes, authenticates or modifies the request, or says how
// to read the content, all of which must be known before the content (RFC 9110
// section 6.5.1). The name must be canonical.
func TrailerAllowed(name string) bool {
	switch name {
	case "Age", "Authorization", "Cache-Control", "Connection", "Content-Encoding",
		"Content-Length", "Content-Range", "Content-Type", "Cookie", "Date", "Expect",
		"Expires", "Forwarded", "Host", "Keep-Alive", "Location", "Max-Forwards", "Pragma",
		"Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Range",
		"Realm", "Retry-After", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding",
		"Upgrade", "Vary", "Warning", "Www-Authenticate":
		return false
	}
	return !strings.HasPrefix(name, "If-") && !strings.HasPrefix(name, "X-Forwarded-")
}

// trailerNames returns the names that Trailer fields announce, each once,
// without those that are invalid or not allowed.
func trailerNames(announced []string) []string {
	var names []string
	for name := range elements(announced) {
		if !ValidFieldName(name) {
			continue
		}
		name = canonical(name)
		if TrailerAllowed(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
