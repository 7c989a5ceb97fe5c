package daemon

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// developerKey marks the context of a developer's request.
type developerKey struct{}

// isDeveloper reports whether a request is one that knowDevelopers has marked.
func isDeveloper(r *http.Request) bool { return r.Context().Value(developerKey{}) != nil }

// knowDevelopers marks requests of whoever works at this machine. It must stand
// before all middleware: what it judges by is changed and dropped there.
func knowDevelopers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fromHere(r) {
			r = r.WithContext(context.WithValue(r.Context(), developerKey{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// fromHere reports whether a request was made on this machine for this machine.
// Each of the three conditions is there for somebody whom the others let
// through:
//
//   - The peer has a loopback address: others on the network have not.
//   - The Host is a loopback name or address. A page of somebody else's, open in
//     the developer's browser, can have its own name resolve to 127.0.0.1 (DNS
//     rebinding) and then read what is served here; the browser still sends that
//     name. So does a tunnel that hands requests on untouched.
//   - No field tells of a proxy: one on this machine has a loopback address, and
//     many set the Host to the one they connect to.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || !isLoopbackHost(r.Host) {
		return false
	}
	for name := range r.Header {
		if tellsOfProxy(name) {
			return false
		}
	}
	return true
}

// isLoopbackHost reports whether a Host field names this machine as nobody else
// can reach it: localhost and names below it, which no resolver may look up
// (RFC 6761, section 6.3), and loopback addresses.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// tellsOfProxy reports whether a field, by its canonical name, is one that
// proxies, tunnels and content delivery networks add.
func tellsOfProxy(name string) bool {
	switch name {
	case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "X-Original-")
}
