package cgi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/fieldline"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// A head is what a script says of its answer before the body (RFC 3875, section
// 6.2).
type head struct {
	status   int    // 0 if the script left it to us
	location string // "" if there is none
	length   int64  // of the body; -1 if it is not said
	typed    bool   // there is a Content-Type
	chunked  bool   // the body comes in chunks: NPH scripts only
	other    bool   // there are fields beside Content-Type and Location
	fields   http.Header
}

// endOfHead returns where the body begins in what a script has printed: behind
// the first empty line. It returns -1 if that is not there yet. Lines end in LF
// or CRLF (section 6.2). What stands before from has been looked at before.
func endOfHead(b []byte, from int) int {
	if n := emptyLine(b); n > 0 {
		return n
	}
	for i := max(from, 0); i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		if n := emptyLine(b[i+1:]); n > 0 {
			return i + 1 + n
		}
	}
	return -1
}

// emptyLine returns the length of the empty line at the start of b, 0 if there
// is none.
func emptyLine(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte("\n")):
		return 1
	case bytes.HasPrefix(b, []byte("\r\n")):
		return 2
	}
	return 0
}

// parseHead parses a head that ends where endOfHead says. The error says what is
// wrong with it. An NPH script begins with a status line and frames its own
// message (section 5).
func parseHead(b []byte, nph bool) (*head, error) {
	h := &head{length: -1, fields: http.Header{}}
	lines := bytes.Split(b, []byte("\n"))
	if nph {
		status, err := parseStatusLine(bytes.TrimSuffix(lines[0], []byte("\r")))
		if err != nil {
			return nil, err
		}
		h.status = status
		lines = lines[1:]
	}
	for _, line := range lines {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		name, value, err := fieldline.Parse(line)
		if err != nil {
			return nil, fmt.Errorf("%w: %.80q", err, line)
		}
		if err := h.add(http.CanonicalHeaderKey(string(name)), string(value), nph); err != nil {
			return nil, err
		}
	}
	switch {
	case nph:
	case h.status == 0 && h.location == "" && !h.typed:
		return nil, errors.New("neither Content-Type, Location nor Status in the head")
	case h.status == 0 && h.location != "":
		h.status = http.StatusFound // section 6.2.3
	case h.status == 0:
		h.status = http.StatusOK
	}
	return h, nil
}

// add takes a field.
func (h *head) add(name, value string, nph bool) error {
	switch name {
	case "Status":
		if nph {
			break
		}
		if h.status != 0 {
			return errors.New("field Status is there twice")
		}
		status, err := parseStatus(value)
		h.status, h.other = status, true
		return err
	case "Location":
		if h.location != "" || value == "" {
			return errors.New("field Location is empty, or there twice")
		}
		h.location = value
		h.fields[name] = []string{value}
		return nil
	case "Content-Type":
		if h.typed || value == "" {
			return errors.New("field Content-Type is empty, or there twice")
		}
		h.typed = true
		h.fields[name] = []string{value}
		return nil
	case "Content-Length":
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || h.length >= 0 {
			return fmt.Errorf("field Content-Length %q is no number, or is there twice", value)
		}
		h.length = int64(n)
	case "Transfer-Encoding":
		if !nph || !strings.EqualFold(value, "chunked") || h.chunked {
			return fmt.Errorf("field Transfer-Encoding %q, which is the server's affair", value)
		}
		h.chunked = true
		return nil
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Upgrade":
		return nil // about the connection, which is not the script's (section 6.3.4)
	case requestid.Field:
		return nil // the response has one, which the log knows
	}
	h.other = true
	h.fields[name] = append(h.fields[name], value)
	return nil
}

// parseStatus parses the value of a Status field: three digits, and whatever the
// script calls it.
func parseStatus(value string) (int, error) {
	digits, _, _ := strings.Cut(value, " ")
	status, err := strconv.Atoi(digits)
	if err != nil || len(digits) != 3 || status < 200 || status > 599 {
		return 0, fmt.Errorf("status %.80q is none from 200 to 599", value)
	}
	return status, nil
}

// parseStatusLine parses the first line of an NPH script's answer.
func parseStatusLine(line []byte) (int, error) {
	version, status, ok := strings.Cut(string(line), " ")
	if !ok || version != "HTTP/1.0" && version != "HTTP/1.1" {
		return 0, fmt.Errorf("the answer of an NPH script begins with %.80q and not with a status line", line)
	}
	return parseStatus(status)
}

// bodiless reports whether a response with that status has no body (RFC 9110,
// sections 15.3.5 and 15.4.5).
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}
