package static

import (
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// verdict is what the spelling of a request's path alone decides.
type verdict uint8

const (
	pathServable verdict = iota // name is a clean relative path
	pathUnclean                 // the same path has a shorter spelling: redirect
	pathRefused                 // no file can have that name, or the client plays tricks
)

// nameOf turns the path of r into a clean slash path relative to the roots, "."
// for the roots themselves; slash says whether it ended in one, as folders do.
//
// Doubled slashes and "." elements are mended by a redirect. A path with ".."
// is refused: browsers resolve it before they send, so whoever sends it hopes
// for something. So are an encoded slash, which would be taken for a separator,
// and NUL, which no file name holds. On systems with other separators than the
// slash those are refused too.
func nameOf(r *http.Request, prefix string) (name string, slash bool, v verdict) {
	p, ok := strings.CutPrefix(r.URL.Path, prefix)
	if !ok {
		if r.URL.Path+"/" == prefix {
			return ".", false, pathServable
		}
		return "", false, pathRefused
	}
	if strings.IndexByte(p, 0) >= 0 || hasEncodedSlash(r.URL.RawPath) ||
		filepath.Separator != '/' && strings.ContainsRune(p, filepath.Separator) {
		return "", false, pathRefused
	}
	if p == "" {
		return ".", true, pathServable
	}
	slash = strings.HasSuffix(p, "/")
	clean := true
	rest := strings.TrimSuffix(p, "/")
	for element := range strings.SplitSeq(rest, "/") {
		switch element {
		case "..":
			return "", false, pathRefused
		case "", ".":
			clean = false
		}
	}
	if !clean {
		return "", false, pathUnclean
	}
	return rest, slash, pathServable
}

// hasEncodedSlash reports whether the path as sent holds %2F. RawPath is set
// only where it differs from the usual encoding, which never has one.
func hasEncodedSlash(raw string) bool {
	return raw != "" && (strings.Contains(raw, "%2F") || strings.Contains(raw, "%2f"))
}

// cleanLocation is the Location of a path that nameOf found unclean: path and
// query of r, with single slashes. It begins with exactly one slash, so it can
// name no other host, and what is special in a URL is escaped in it, backslashes
// (which browsers read as slashes) included.
func cleanLocation(r *http.Request) string {
	clean := path.Clean("/" + r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/") || strings.HasSuffix(r.URL.Path, "/.") {
		clean = strings.TrimSuffix(clean, "/") + "/"
	}
	return withQuery((&url.URL{Path: clean}).EscapedPath(), r)
}

// slashLocation is the Location that adds a slash to the path of r. It is
// relative to the request, "./name/", so that it also holds behind a
// http.StripPrefix or a proxy, and can name neither host nor scheme.
func slashLocation(r *http.Request) string {
	return withQuery("./"+url.PathEscape(path.Base(r.URL.Path))+"/", r)
}

func withQuery(location string, r *http.Request) string {
	if r.URL.RawQuery == "" {
		return location
	}
	return location + "?" + r.URL.RawQuery
}

// redirect answers r with 301 and location. Only GET and HEAD come here.
func redirect(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusMovedPermanently)
}
