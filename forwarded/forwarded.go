// Package forwarded decides whom to believe about a request's origin.
//
// A proxy in front tells in header fields whom it speaks for, and any client can
// write the same fields. Middleware therefore drops them from every peer that is
// not listed as trusted, and from a trusted one makes them the truth:
//
//   - r.RemoteAddr becomes the client's address, with port 0: the right-most
//     address in X-Forwarded-For that is not itself a trusted proxy. What stands
//     left of it is hearsay.
//   - X-Forwarded-Proto is left as exactly "http" or "https", or is gone. It is
//     the one place where a handler learns the scheme that the visitor used: after
//     this middleware nobody but a trusted proxy can have set it.
//   - X-Request-Id becomes the identifier of the response (see
//     internal/requestid) if it is plain and short, and is gone otherwise.
//
// The field Forwarded (RFC 7239) is dropped from every peer: a proxy that writes
// X-Forwarded-For, as nearly all do, passes a visitor's Forwarded through
// unchanged, so the two cannot both be believed.
package forwarded

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Trust says which peers are believed. The zero value trusts nobody. It is not
// changed after it was made and so is safe for concurrent use.
type Trust struct {
	prefixes []netip.Prefix
	unix     bool
}

// ParseTrust reads a list of addresses ("192.0.2.1"), prefixes ("10.0.0.0/8",
// "2001:db8::/32") and the word "unix", which stands for whoever can connect to
// a Unix socket of this server.
func ParseTrust(list []string) (Trust, error) {
	var t Trust
	for _, item := range list {
		if item == "unix" {
			t.unix = true
			continue
		}
		prefix, err := parsePrefix(item)
		if err != nil {
			return Trust{}, err
		}
		t.prefixes = append(t.prefixes, prefix)
	}
	return t, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf(`forwarded: %q is neither an address, nor a prefix such as 10.0.0.0/8, nor "unix"`, s)
	}
	return prefix.Masked(), nil
}

// Middleware returns next behind the decision. It changes the request that it is
// handed, fields and all, instead of a copy: it belongs directly behind the
// server, where nobody else has seen the request yet.
func (t Trust) Middleware(next http.Handler) http.Handler {
	return &handler{trust: t, next: next}
}

type handler struct {
	trust Trust
	next  http.Handler
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if tells(r.Header) {
		if h.trust.peer(r) {
			h.trust.believe(w, r)
		} else {
			drop(r.Header)
		}
	}
	h.next.ServeHTTP(w, r)
}

// tells reports whether h holds a field of this package's concern. This is what
// every request of every visitor pays, so it looks at names only.
func tells(h http.Header) bool {
	for name := range h {
		if concerns(name) {
			return true
		}
	}
	return false
}

// concerns reports whether the field of that canonical name tells of a
// request's origin.
func concerns(name string) bool {
	switch {
	case len(name) < len("X-Real-Ip"):
		return false
	case name[0] == 'X':
		return strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip" || name == requestid.Field
	}
	return name == "Forwarded"
}

func drop(h http.Header) {
	for name := range h {
		if concerns(name) {
			delete(h, name)
		}
	}
}

// peer reports whether whoever connected is trusted.
func (t Trust) peer(r *http.Request) bool {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return t.address(ap.Addr())
	}
	return t.unix && overUnix(r.Context())
}

// overUnix reports whether the request came in through a Unix socket, whose
// peers have no address to be known by.
func overUnix(ctx context.Context) bool {
	local, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr)
	return ok && local.Network() == "unix"
}

func (t Trust) address(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range t.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// believe takes over what a trusted peer says.
func (t Trust) believe(w http.ResponseWriter, r *http.Request) {
	h := r.Header
	delete(h, "Forwarded")
	if client, ok := t.client(h["X-Forwarded-For"]); ok {
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	if values := h["X-Forwarded-Proto"]; len(values) > 0 {
		if scheme := lastScheme(values); scheme != "" {
			h["X-Forwarded-Proto"] = []string{scheme}
		} else {
			delete(h, "X-Forwarded-Proto")
		}
	}
	if values := h[requestid.Field]; len(values) > 0 {
		if len(values) == 1 && validID(values[0]) {
			w.Header()[requestid.Field] = []string{values[0]}
		} else {
			delete(h, requestid.Field)
		}
	}
}

// client walks the chain of addresses from the nearest hop outwards, to the
// first that is no trusted proxy. Something that is no address ends the walk:
// what stands behind it was not written by anybody who is trusted. Then, and
// when all hops are trusted, the outermost trusted address is the best answer.
func (t Trust) client(lines []string) (client netip.Addr, ok bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			var hop string
			comma := strings.LastIndexByte(rest, ',')
			hop, more = rest[comma+1:], comma >= 0
			if more {
				rest = rest[:comma]
			}
			addr, valid := parseHop(strings.Trim(hop, " \t"))
			if !valid {
				return client, ok
			}
			client, ok = addr, true
			if !t.address(addr) {
				return client, true
			}
		}
	}
	return client, ok
}

// parseHop reads an address, with or without a port, as proxies write it.
func parseHop(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		if addr, err := netip.ParseAddr(s[1 : len(s)-1]); err == nil {
			return addr.WithZone(""), true
		}
	}
	return netip.Addr{}, false
}

// lastScheme is the scheme that the nearest proxy wrote, "" if it is none that
// this server could have been asked for.
func lastScheme(values []string) string {
	last := values[len(values)-1]
	last = strings.ToLower(strings.Trim(last[strings.LastIndexByte(last, ',')+1:], " \t"))
	if last == "http" || last == "https" {
		return last
	}
	return ""
}

// validID reports whether s may stand in the log, in the error page and in the
// response as the request's identifier. 128 bytes hold every usual form, such
// as UUIDs and W3C trace parents.
func validID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case strings.IndexByte("-_.:/+=@~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

var _ http.Handler = (*handler)(nil)
