package manager

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ownName is the name that the page has for itself. No resolver may look up names
// below localhost (RFC 6761, section 6.3), browsers take them for this machine,
// and cookies of that name reach no application at localhost.
const ownName = "manager.localhost"

// policy lets a page use what this server serves, and nothing else: no script or
// style within the page, no frame around it, no form that leads elsewhere.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect sets the fields that all answers have.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	// With no-referrer browsers would send "Origin: null" with our own forms (Fetch
	// standard, "append a request Origin header").
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// isOwnHost reports whether a Host field names the page as nobody else can: by its
// name, or as this machine. A page elsewhere can have its own name lead here (DNS
// rebinding) and then read what it gets, but the browser still sends that name;
// an address is no name that leads anywhere. The port may be another one, at this
// end of a tunnel.
func isOwnHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback() && addr.Zone() == ""
	}
	name = strings.ToLower(name)
	return name == ownName || name == "localhost"
}

// isOwnPage reports whether a request that changes something comes from a page of
// ours. Every browser says from where a form is sent; whoever does not say so is
// refused too.
func (m *Manager) isOwnPage(r *http.Request) bool {
	if m.crossOrigin.Check(r) != nil {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if origin := r.Header.Values("Origin"); len(origin) > 0 {
		return len(origin) == 1 && origin[0] == scheme+"://"+r.Host
	}
	return r.Header.Get("Sec-Fetch-Site") == "same-origin"
}
