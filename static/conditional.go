package static

import (
	"net/http"
	"strings"
	"time"
)

// condition is the outcome of a request's preconditions.
type condition uint8

const (
	conditionMet         condition = iota // go on
	conditionNotModified                  // 304
	conditionFailed                       // 412
)

// evaluate decides the preconditions of a GET or HEAD against rep, in the order
// of RFC 9110 section 13.2.2. If-Range, the last step, is rangeApplies.
func evaluate(h http.Header, rep *representation) condition {
	if lines, ok := h["If-Match"]; ok {
		if !matches(lines, rep.etag, strongly) {
			return conditionFailed
		}
	} else if lines, ok := h["If-Unmodified-Since"]; ok {
		if t, ok := httpDate(lines); ok && rep.dated() && rep.modified.After(t) {
			return conditionFailed
		}
	}
	if lines, ok := h["If-None-Match"]; ok {
		if matches(lines, rep.etag, weakly) {
			return conditionNotModified
		}
	} else if lines, ok := h["If-Modified-Since"]; ok {
		if t, ok := httpDate(lines); ok && rep.dated() && !rep.modified.After(t) {
			return conditionNotModified
		}
	}
	return conditionMet
}

// rangeApplies decides If-Range (section 13.1.5): whether the client's part is of
// the representation that there is now. Both validators must be strong for that;
// a date is if the file was at rest when it was read, which a weak tag denies.
func rangeApplies(h http.Header, rep *representation) bool {
	lines, ok := h["If-Range"]
	if !ok {
		return true
	}
	if len(lines) != 1 || strings.HasPrefix(rep.etag, "W/") {
		return false
	}
	value := trimSpace(lines[0])
	if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "W/") {
		return value == rep.etag
	}
	t, ok := httpDate(lines)
	return ok && rep.dated() && rep.modified.Equal(t)
}

// httpDate reads a field that is one date. Anything else has no date, and the
// condition is ignored as sections 13.1.3 and 13.1.4 have it.
func httpDate(lines []string) (time.Time, bool) {
	if len(lines) != 1 {
		return time.Time{}, false
	}
	t, err := http.ParseTime(trimSpace(lines[0]))
	return t, err == nil
}

// strongly and weakly are the two comparisons of section 8.8.3.2.
func strongly(a, b string) bool { return a == b && !strings.HasPrefix(a, "W/") }

func weakly(a, b string) bool { return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/") }

// matches reports whether one of the entity tags in lines, or "*", compares equal
// to etag. The list is read up to the first thing that is no tag.
func matches(lines []string, etag string, equal func(a, b string) bool) bool {
	for _, line := range lines {
		for {
			line = strings.TrimLeft(line, " \t,")
			if line == "" {
				break
			}
			if line[0] == '*' {
				return true
			}
			tag := entityTag(line)
			if tag == "" {
				break
			}
			if equal(tag, etag) {
				return true
			}
			line = line[len(tag):]
		}
	}
	return false
}

// entityTag returns the entity tag at the start of s, or "".
//
//	entity-tag = [ weak ] opaque-tag
//	opaque-tag = DQUOTE *etagc DQUOTE
//	etagc      = %x21 / %x23-7E / obs-text
func entityTag(s string) string {
	i := 0
	if strings.HasPrefix(s, "W/") {
		i = 2
	}
	if i >= len(s) || s[i] != '"' {
		return ""
	}
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1]
		case c <= ' ' || c == 0x7f:
			return ""
		}
	}
	return ""
}
