package http1

import (
	"net/netip"
	"strconv"
	"strings"
)

// TargetForm is one of the four forms of a request target (RFC 9112 section 3.2).
type TargetForm uint8

// The forms of a request target.
const (
	OriginForm    TargetForm = iota // a path: /where?q=now
	AbsoluteForm                    // a whole URI: http://example.org/where?q=now
	AuthorityForm                   // host and port, for CONNECT
	AsteriskForm                    // *, for OPTIONS
)

// String returns the form's name in RFC 9112.
func (f TargetForm) String() string {
	switch f {
	case OriginForm:
		return "origin-form"
	case AbsoluteForm:
		return "absolute-form"
	case AuthorityForm:
		return "authority-form"
	case AsteriskForm:
		return "asterisk-form"
	}
	return "TargetForm(" + strconv.Itoa(int(f)) + ")"
}

// parseTarget tells a target's form and, for the forms that hold one, its
// authority. Which form a method may have is RFC 9112's sections 3.2.3 and
// 3.2.4: CONNECT and authority-form belong together, the asterisk is for
// OPTIONS only.
func parseTarget(method, target string) (form TargetForm, authority string, err error) {
	if target == "" || !all(target, isTargets) {
		return 0, "", bad("invalid byte in the request target")
	}
	switch {
	case method == "CONNECT":
		if host, port, ok := splitHost(target); !ok || host == "" || port == "" {
			return 0, "", bad("CONNECT wants host:port")
		}
		return AuthorityForm, target, nil
	case target[0] == '/':
		if !validEscapes(target) {
			return 0, "", bad("invalid percent-encoding in the request target")
		}
		return OriginForm, "", nil
	case target == "*":
		if method != "OPTIONS" {
			return 0, "", bad("asterisk-form is for OPTIONS only")
		}
		return AsteriskForm, "", nil
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return 0, "", bad("request target is neither a path nor an http URI")
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority = rest[:end]
	// RFC 9110 section 4.2.1 refuses an empty host, 4.2.4 userinfo, which
	// splitHost does not know.
	if host, _, ok := splitHost(authority); !ok || host == "" {
		return 0, "", bad("invalid authority in the request target")
	}
	if !validEscapes(rest[end:]) {
		return 0, "", bad("invalid percent-encoding in the request target")
	}
	return AbsoluteForm, authority, nil
}

// validEscapes reports whether every % of the path begins an escape. In the
// query it may stand for itself: forms and trackers write such queries, and a
// query is data that only the application takes apart.
func validEscapes(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for {
		i := strings.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		path = path[i+1:]
		if len(path) < 2 || !all(path[:2], isHex) {
			return false
		}
	}
}

// splitHost takes an authority apart: uri-host [ ":" port ] (RFC 9110 section
// 7.2). An empty host is grammatical, and so is an empty port. Percent-encoding
// in a host is refused: no name on the network has one, and recipients disagree
// whether to decode it. The port is a number up to 65535.
func splitHost(s string) (host, port string, ok bool) {
	host = s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", "", false
		}
		host, port = s[:end+1], s[end+1:]
		if port != "" && port[0] != ':' {
			return "", "", false
		}
	} else {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, port = s[:i], s[i:]
		}
		if !all(host, isHost) {
			return "", "", false
		}
	}
	if port == "" || port == ":" {
		return host, "", true
	}
	n, ok := parseDigits(port[1:])
	return host, port[1:], ok && n <= 65535
}
