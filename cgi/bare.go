package cgi

import (
	"bytes"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/fieldline"
)

// BareType is the type of a document that is printed without a head, where that
// is optional.
const BareType = "text/html; charset=utf-8"

// bareHead is the head of such a document.
func bareHead() *head {
	return &head{status: http.StatusOK, length: -1, typed: true, fields: http.Header{"Content-Type": {BareType}}}
}

// isBare reports whether b, which is what a script has printed so far, is certain
// not to begin with a head. end is where endOfHead sees the end of one, -1 if it
// does not. complete says that no more comes, full that no head is as long as b.
//
// Syntax alone decides (RFC 3875, section 6.2): lines that are fields, one of
// which is a CGI field, up to the first empty line. So the text "Note: closed\n\n…"
// is a document, and a head whose Status is no number is a malformed head.
func isBare(b []byte, end int, complete, full bool) bool {
	lines := b[:bytes.LastIndexByte(b, '\n')+1]
	if end >= 0 {
		lines = b[:end]
	}
	cgiField := false
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte("\n"))
		lines = rest
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			break // the end
		}
		name, _, err := fieldline.Parse(line)
		if err != nil {
			return true
		}
		switch http.CanonicalHeaderKey(string(name)) {
		case "Content-Type", "Location", "Status":
			cgiField = true
		}
	}
	return complete && end < 0 || (end >= 0 || full) && !cgiField
}
