package static

import (
	"path"
	"strings"
)

// cacheControl returns the Cache-Control of the file called name, a slash path,
// or "" for none.
//
// Pages are to be asked for anew each time, which costs a 304. A name that holds
// a hash of the content never means other content, so it may be kept for a year.
// Everything else gets none: validators do the work.
func cacheControl(name, contentType string) string {
	switch {
	case strings.HasPrefix(contentType, "text/html"), strings.HasPrefix(contentType, "application/xhtml+xml"):
		return "no-cache"
	case contentHashed(name):
		return "public, max-age=31536000, immutable"
	}
	return ""
}

// contentHashed reports whether a build tool has put a hash of the content into
// name. To be wrong here keeps an old file in browsers for a year, to miss one
// costs a 304 now and then: so what might be a date, a version or a word is no
// hash, and about one in four of the shortest hashes is missed.
//
//   - After a dot or a dash, hexadecimal digits of one case, as many as tools
//     cut hashes to, that change at least three times between figures and
//     letters: app.4f9a01c2be77.css (Django), main.8f3b2c1d.chunk.js (webpack).
//     20240101, deadbeef and 12dec2024 do not. The last group of a UUID is none.
//   - For scripts, styles and what they load: eight of A-Z and 2-7 after a dash,
//     chunk-2UZXVQ3M.js (esbuild).
//   - The same in a folder called assets: eight of base64url after a dash,
//     index-BWz7H_Xk.js (Vite).
//   - Everything below _next/static, _app/immutable, _astro and _nuxt, where
//     those frameworks put nothing else.
func contentHashed(name string) bool {
	dir, base := path.Split(name)
	dir = "/" + dir
	for _, folder := range []string{"/_next/static/", "/_app/immutable/", "/_astro/", "/_nuxt/"} {
		if strings.Contains(dir, folder) {
			return true
		}
	}
	ext := path.Ext(base)
	if ext == ".map" { // app-HASH.js.map
		base = strings.TrimSuffix(base, ext)
		ext = path.Ext(base)
	}
	stem := strings.TrimSuffix(base, ext)
	if ext == "" || stem == "" {
		return false
	}
	if hexHashed(stem) {
		return true
	}
	switch ext {
	case ".js", ".mjs", ".css", ".wasm", ".woff", ".woff2":
	default:
		return false
	}
	if n := len(stem) - 9; n > 0 && stem[n] == '-' {
		tail := stem[n+1:]
		return made(tail, isBase32) && changes(tail) >= 2 ||
			strings.HasSuffix(dir, "/assets/") && made(tail, isBase64) && changes(tail) >= 4
	}
	return false
}

// hexHashed reports whether a part of stem after its first, divided by dots and
// dashes, is a hexadecimal hash.
func hexHashed(stem string) bool {
	parts := strings.FieldsFunc(stem, func(r rune) bool { return r == '.' || r == '-' })
	for i, part := range parts {
		switch len(part) {
		case 8, 10, 12, 16, 20, 32, 40, 64:
		default:
			continue
		}
		if i == 0 || changes(part) < 3 || !made(part, isLowerHex) && !made(part, isUpperHex) {
			continue
		}
		// The first and the last group of a UUID name a thing, not its content.
		if !uuid(parts[i:]) && !(i >= 4 && uuid(parts[i-4:])) {
			return true
		}
	}
	return false
}

// uuid reports whether parts begin with the groups of a UUID (RFC 9562).
func uuid(parts []string) bool {
	return len(parts) >= 5 && len(parts[0]) == 8 && len(parts[1]) == 4 && len(parts[2]) == 4 && len(parts[3]) == 4 && len(parts[4]) == 12
}

func made(s string, of func(c byte) bool) bool {
	for i := range len(s) {
		if !of(s[i]) {
			return false
		}
	}
	return true
}

func isLowerHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
func isUpperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
func isBase32(c byte) bool   { return '2' <= c && c <= '7' || 'A' <= c && c <= 'Z' }
func isBase64(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-' || c == '_'
}

// changes counts how often s goes over from figures, capitals, small letters or
// other signs to another of these kinds: a word or a date does so seldom.
func changes(s string) int {
	n := 0
	for i := 1; i < len(s); i++ {
		if kind(s[i]) != kind(s[i-1]) {
			n++
		}
	}
	return n
}

func kind(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return '0'
	case 'A' <= c && c <= 'Z':
		return 'A'
	case 'a' <= c && c <= 'z':
		return 'a'
	}
	return '-'
}
