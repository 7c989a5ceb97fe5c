package http1

import "math"

// interpret fills in the header and all that follows from it.
func (h *RequestHead) interpret(text string, lines []fieldLine) error {
	var (
		hosts   int
		host    string
		codings []string
		asked   bool // a field beside Host concerns the connection
	)
	for _, line := range lines {
		switch name, value := line.in(text); name {
		case "Host":
			hosts++
			host = value
		case "Transfer-Encoding":
			codings = append(codings, value)
			asked = true
		case "Connection", "Content-Length", "Expect":
			asked = true
		}
	}
	h.Header = collect(text, lines, hasMember)
	if err := h.setHost(hosts, host); err != nil {
		return err
	}
	if !asked {
		h.Close = h.Minor == 0 // what the rules below come to without any of these fields
		return nil
	}
	if err := h.frame(codings); err != nil {
		return err
	}
	h.setConnection()
	return h.setExpect()
}

// hasMember reports whether a field is told in a member of RequestHead instead
// of the header, as in net/http's Request.
func hasMember(name string) bool { return name == "Host" || name == "Transfer-Encoding" }

// setHost applies RFC 9112 section 3.2: one Host field in HTTP/1.1, none or one
// in HTTP/1.0, well-formed in any case. What the target says goes before it
// (section 3.2.2), but does not excuse it.
func (h *RequestHead) setHost(n int, host string) error {
	switch {
	case n > 1:
		return bad("several Host fields")
	case n == 0 && h.Minor > 0:
		return bad("no Host field")
	}
	if _, _, ok := splitHost(host); !ok {
		return bad("invalid Host field")
	}
	if h.Host == "" {
		h.Host = host
	}
	return nil
}

// frame decides how long the body is (RFC 9112 section 6.3). Wherever the
// section leaves a choice between repair and refusal, it refuses.
func (h *RequestHead) frame(codings []string) error {
	lengths := h.Header["Content-Length"]
	if codings == nil {
		return h.setLength(lengths)
	}
	if lengths != nil {
		return bad("Content-Length beside Transfer-Encoding")
	}
	if h.Minor == 0 {
		// Section 6.1: an HTTP/1.0 recipient on the way did not know it.
		return bad("Transfer-Encoding in HTTP/1.0")
	}
	if err := checkCodings(codings); err != nil {
		return err
	}
	h.Chunked, h.ContentLength = true, -1
	if announced, ok := h.Header["Trailer"]; ok {
		h.Trailer = trailerNames(announced)
		delete(h.Header, "Trailer")
	}
	return nil
}

// setLength reads Content-Length. RFC 9112 section 6.3 lets a recipient merge
// identical repeats; the two senders that a repeat tells of are reason enough
// not to.
func (h *RequestHead) setLength(lengths []string) error {
	if len(lengths) == 0 {
		return nil
	}
	if len(lengths) > 1 {
		return bad("several Content-Length fields")
	}
	n, ok := parseDigits(lengths[0])
	if !ok {
		return bad("invalid Content-Length")
	}
	h.ContentLength = n
	return nil
}

// parseDigits reads 1*DIGIT, up to the largest int64.
func parseDigits(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 || n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// checkCodings accepts one chunked and nothing else. Codings before a final
// chunked are ones that we do not know (501, RFC 9112 section 6.1); a chunked
// that is not last, or there twice, or dressed up with parameters leaves the
// body's end in doubt (400, section 6.3).
func checkCodings(codings []string) error {
	chunked, unknown := 0, false
	for coding := range elements(codings) {
		switch {
		case chunked > 0:
			return bad("chunked is not the last transfer coding")
		case equalFold(coding, "chunked"):
			chunked++
		case !ValidFieldName(coding):
			return bad("invalid Transfer-Encoding")
		default:
			unknown = true
		}
	}
	if unknown {
		return &Error{Status: 501, Reason: "unknown transfer coding"}
	}
	return nil
}

// setConnection reads the Connection options (RFC 9110 section 7.6.1) and
// decides whether the connection persists (RFC 9112 section 9.3).
func (h *RequestHead) setConnection() {
	var closes, keeps, upgrades bool
	for option := range elements(h.Header["Connection"]) {
		switch {
		case equalFold(option, "close"):
			closes = true
		case equalFold(option, "keep-alive"):
			keeps = true
		case equalFold(option, "upgrade"):
			upgrades = true
		}
	}
	h.KeepAlive = h.Minor == 0 && keeps && !closes
	h.Close = closes || h.Minor == 0 && !keeps
	// RFC 9110 section 7.8: an Upgrade in HTTP/1.0 must be ignored.
	h.Upgrade = upgrades && h.Minor > 0 && len(h.Header["Upgrade"]) > 0
}

// setExpect reads Expect (RFC 9110 section 10.1.1). HTTP/1.0 has none, and
// without a body there is nothing to wait for.
func (h *RequestHead) setExpect() error {
	expect, ok := h.Header["Expect"]
	if !ok || h.Minor == 0 {
		return nil
	}
	for expectation := range elements(expect) {
		if !equalFold(expectation, "100-continue") {
			return &Error{Status: 417, Reason: "unknown expectation"}
		}
	}
	h.ExpectContinue = h.ContentLength != 0
	return nil
}
