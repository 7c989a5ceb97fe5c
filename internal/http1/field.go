package http1

import (
	"bytes"
	"strings"
)

// fieldLine says where in a section a field line stands.
type fieldLine struct {
	start, colon, end int // end is that of the line without its CRLF
}

// in returns the line's name, and its value without the white space around it.
func (l fieldLine) in(text string) (name, value string) {
	return text[l.start:l.colon], trim(text[l.colon+1 : l.end])
}

// parseSection checks the field lines of src from start on, which end with CRLF
// each, and copies src into one string. The copy is the only one: names and
// values are slices of it. A name that is not in canonical form is put into it
// on the way, which changes letters and no offsets. The lines are appended to
// room, which is empty.
func parseSection(src []byte, start int, room []fieldLine) (string, []fieldLine, error) {
	var text strings.Builder
	text.Grow(len(src))
	copied := 0
	for start < len(src) {
		n := bytes.IndexByte(src[start:], '\n')
		if n < 1 || src[start+n-1] != '\r' {
			return "", nil, bad("line ends without CRLF")
		}
		line := src[start : start+n-1]
		colon, canonical, err := parseName(line)
		if err != nil {
			return "", nil, err
		}
		if valueError(line[colon+1:]) >= 0 {
			return "", nil, bad("control byte in a field value")
		}
		if !canonical {
			text.Write(src[copied:start])
			writeCanonical(&text, line[:colon])
			copied = start + colon
		}
		room = append(room, fieldLine{start, start + colon, start + n - 1})
		start += n + 1
	}
	text.Write(src[copied:])
	return text.String(), room, nil
}

// parseName checks a field line's name and returns where the colon stands, and
// whether the name is in canonical form: each part between hyphens begins with
// a capital, all other letters are small.
func parseName(line []byte) (colon int, canonical bool, err error) {
	canonical = true
	first := true
	for i, c := range line {
		if c == ':' {
			if i == 0 {
				return 0, false, bad("field without a name")
			}
			return i, canonical, nil
		}
		if classes[c]&isToken == 0 {
			return 0, false, nameError(i, c)
		}
		if first && 'a' <= c && c <= 'z' || !first && 'A' <= c && c <= 'Z' {
			canonical = false
		}
		first = c == '-'
	}
	return 0, false, bad("field without a colon")
}

// nameError says why c must not stand at position i of a field line.
func nameError(i int, c byte) *Error {
	switch {
	case c != ' ' && c != '\t':
		return bad("invalid byte in a field name")
	case i == 0:
		// RFC 9112 section 5.2: obs-fold.
		return bad("folded field line")
	}
	// RFC 9112 section 5.1: response splitting and cache poisoning live here.
	return bad("white space in or after a field name")
}

func writeCanonical(text *strings.Builder, name []byte) {
	first := true
	for _, c := range name {
		switch {
		case first && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case !first && 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		text.WriteByte(c)
		first = c == '-'
	}
}

// canonical returns a valid field name in canonical form.
func canonical(name string) string {
	var text strings.Builder
	text.Grow(len(name))
	writeCanonical(&text, []byte(name))
	return text.String()
}

// elements yields the elements of a list field's values, in order, stripped;
// empty ones too, which RFC 9110 section 5.6.1.2 lets a recipient ignore.
func elements(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range values {
			for rest, more := v, true; more; {
				var element string
				element, rest, more = strings.Cut(rest, ",")
				if !yield(trim(element)) {
					return
				}
			}
		}
	}
}

// collect puts fields into a header map, without those that skip names. One array
// holds the values of all names that occur once, which is nearly all of them.
func collect(text string, lines []fieldLine, skip func(name string) bool) map[string][]string {
	header := make(map[string][]string, len(lines))
	spare := make([]string, len(lines))
	kept := 0
	for _, line := range lines {
		name, value := line.in(text)
		if skip(name) {
			continue
		}
		// The capacity of one keeps an append to this name out of the next one's.
		one := spare[kept : kept+1 : kept+1]
		one[0] = value
		header[name] = one
		kept++
	}
	if len(header) == kept {
		return header
	}
	// A name occurs twice. To have asked the map for each before would have cost
	// every request a second look at every field.
	clear(header)
	for _, line := range lines {
		if name, value := line.in(text); !skip(name) {
			header[name] = append(header[name], value)
		}
	}
	return header
}
