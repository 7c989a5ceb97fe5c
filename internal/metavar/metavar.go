// Package metavar names and fills the meta-variables of RFC 3875 that CGI
// scripts and WSGI applications have in common. It is the one place that decides
// which request fields reach a program, and under which name.
package metavar

import (
	"net"
	"net/http"
	"strings"
)

// AppendName appends the name of the meta-variable for a request field (RFC
// 3875, section 4.1.18), HTTP_USER_AGENT for User-Agent, and reports whether
// there is one; if not, dst is returned as it was. It allocates only to grow dst.
//
// A field whose name holds anything but letters, digits and '-' has none, so
// that no two names collide (X_A and X-A). Nor has Proxy, because HTTP_PROXY
// means something else to many programs (CVE-2016-5385), nor the fields that
// have meta-variables of their own or describe the message as it travelled: its
// length, type and transfer coding.
func AppendName(dst []byte, field string) ([]byte, bool) {
	switch field {
	case "Content-Length", "Content-Type", "Proxy", "Transfer-Encoding":
		return dst, false
	}
	start := len(dst)
	dst = append(dst, "HTTP_"...)
	for i := range len(field) {
		switch c := field[i]; {
		case 'a' <= c && c <= 'z':
			dst = append(dst, c-('a'-'A'))
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			dst = append(dst, c)
		case c == '-':
			dst = append(dst, '_')
		default:
			return dst[:start], false
		}
	}
	return dst, true
}

// Separator is what stands between the values of a field that came several times
// and makes one value of them. A comma would be part of a cookie's value.
func Separator(field string) string {
	if field == "Cookie" {
		return "; "
	}
	return ", "
}

// Server returns SERVER_NAME and SERVER_PORT: the host that the request was
// directed to and its port (RFC 3875, sections 4.1.14 and 4.1.15).
func Server(r *http.Request, scheme string) (host, port string) {
	port = "80"
	if scheme == "https" {
		port = "443"
	}
	if r.Host != "" {
		if h, p, ok := SplitHostPort(r.Host); ok {
			return h, p
		}
		return r.Host, port
	}
	// HTTP/1.0 without a Host field: the address that was connected to.
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if h, p, ok := SplitHostPort(addr.String()); ok {
			return h, p
		}
	}
	return "localhost", port
}

// SplitHostPort splits "host:port" and "[v6]:port" at the last colon, and
// reports whether there is a port; if not, host is s. It allocates nothing.
func SplitHostPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i == len(s)-1 || strings.HasSuffix(s, "]") {
		return s, "", false
	}
	host, port = s[:i], s[i+1:]
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	return host, port, true
}

// Scheme is "https" for a request that came encrypted, else "http".
func Scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
