package http1

import (
	"bytes"
	"cmp"
	"strings"
)

// maxMethod is the longest method, in bytes, that is passed on. The longest one
// registered, UPDATEREDIRECTREF, has 17; RFC 9112 section 3 answers a longer
// one than any that is known with 501.
const maxMethod = 64

func errMethodTooLong() *Error {
	return &Error{Status: 501, Reason: "method is too long"}
}

// RequestHead is a request head, and what it means for the connection.
type RequestHead struct {
	// Method is a token, case kept: methods are case-sensitive.
	Method string
	// Target is the request target as it was sent.
	Target string
	// Form is the target's form.
	Form TargetForm
	// Minor is the version HTTP/1.Minor, 0 or 1. A higher minor version is
	// read as 1, as RFC 9110 section 2.5 asks.
	Minor int
	// Header holds the fields under canonical names, without Host and
	// Transfer-Encoding, and without Trailer where Trailer is set. All of its
	// strings share one copy of the head: keeping one keeps that copy, at most
	// Limits.Head bytes, and no buffer of the connection.
	Header map[string][]string
	// Host is the authority meant: that of the target if it holds one, else
	// that of the Host field; empty if neither is there.
	Host string
	// ContentLength is the body's length in bytes, 0 if there is none, -1 if
	// the body is chunked.
	ContentLength int64
	// Chunked says that the body is in the chunked coding.
	Chunked bool
	// Close says that by the request's own rules the connection ends after
	// the response (RFC 9112 section 9.3).
	Close bool
	// KeepAlive says that a client of HTTP/1.0 asked to keep the connection:
	// the response must say so if it agrees.
	KeepAlive bool
	// ExpectContinue says that a body follows which the client may hold back
	// until it sees 100 Continue (RFC 9110 section 10.1.1).
	ExpectContinue bool
	// Upgrade says that the client offers other protocols in its Upgrade
	// field, and meant it for us (RFC 9110 section 7.8).
	Upgrade bool
	// Trailer holds the names of the trailer fields that a chunked body
	// announces, canonical, without those that TrailerAllowed refuses.
	Trailer []string
}

// ParseRequest parses a head that [HeadScanner.Scan] has delimited into h,
// which it overwrites. Nothing in h aliases head. An error is an [*Error]; h
// then holds what was read so far, for the log only.
//
// The limits are the scanner's: ParseRequest takes any length.
func ParseRequest(head []byte, h *RequestHead) error {
	*h = RequestHead{}
	crlf := []byte("\r\n")
	for bytes.HasPrefix(head, crlf) {
		head = head[len(crlf):]
	}
	line, _, ok := bytes.Cut(head, crlf)
	if !ok || !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		return bad("head without an end")
	}
	var room [32]fieldLine // on the stack; more are rare
	text, lines, err := parseSection(head[:len(head)-len(crlf)], len(line)+len(crlf), room[:0])
	if err != nil {
		// What is wrong with the request line says more, and its version may
		// mean that the fields are not ours to judge.
		return cmp.Or(h.parseRequestLine(string(line)), err)
	}
	if err := h.parseRequestLine(text[:len(line)]); err != nil {
		return err
	}
	return h.interpret(text, lines)
}

// parseRequestLine reads method SP request-target SP HTTP-version (RFC 9112
// section 3), with exactly one SP each: the white space that the section
// allows a lenient recipient is where request splitting begins.
func (h *RequestHead) parseRequestLine(line string) error {
	method, rest, _ := strings.Cut(line, " ")
	if !ValidFieldName(method) { // a method is a token too
		return bad("invalid method")
	}
	if len(method) > maxMethod {
		return errMethodTooLong()
	}
	target, version, ok := strings.Cut(rest, " ")
	if !ok {
		return bad("request line without three parts")
	}
	minor, err := parseVersion(version)
	if err != nil {
		return err
	}
	h.Method, h.Target, h.Minor = intern(method), target, minor
	h.Form, h.Host, err = parseTarget(method, target)
	return err
}

// intern returns a common method as a constant: methods become labels that
// outlive the request and should not keep its head.
func intern(method string) string {
	switch method {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "PATCH":
		return "PATCH"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	}
	return method
}

// parseVersion reads HTTP-version, "HTTP/" DIGIT "." DIGIT (RFC 9112 section
// 2.3), and returns the minor version that we speak.
func parseVersion(s string) (minor int, err error) {
	if s == "HTTP/1.1" {
		return 1, nil
	}
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	if len(s) != len("HTTP/1.1") || s[:5] != "HTTP/" || s[6] != '.' || !digit(s[5]) || !digit(s[7]) {
		return 0, bad("malformed HTTP version")
	}
	if s[5] != '1' {
		return 0, &Error{Status: 505, Reason: "HTTP version is not 1.x"}
	}
	return min(int(s[7]-'0'), 1), nil
}
