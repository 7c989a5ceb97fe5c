package http1

import "strings"

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
		n, canonical, err := parseName(src[start:])
		if err != nil {
			return "", nil, err
		}
		// A value ends where a byte stands that it must not hold: that must be
		// the line end.
		colon := start + n
		end := colon + 1 + valueEnd(src[colon+1:])
		if err := lineEnd(src[end:]); err != nil {
			return "", nil, err
		}
		if !canonical {
			text.Write(src[copied:start])
			writeCanonical(&text, src[start:colon])
			copied = colon
		}
		room = append(room, fieldLine{start, colon, end})
		start = end + len("\r\n")
	}
	text.Write(src[copied:])
	return text.String(), room, nil
}

// lineEnd says what is wrong if rest, which no field value can go on with, does
// not begin with CRLF.
func lineEnd(rest []byte) error {
	switch {
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return nil
	case len(rest) == 0 || rest[0] == '\n':
		return bad("line ends without CRLF")
	}
	return bad("control byte in a field value")
}

// parseName checks the name that a field line begins with and returns where the colon stands, and
// whether the name is in canonical form: each part between hyphens begins with
// a capital, all other letters are small.
func parseName(src []byte) (colon int, canonical bool, err error) {
	canonical = true
	first := true
	for i, c := range src {
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
	case c == '\r':
		return bad("field without a colon")
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
