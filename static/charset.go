package static

import (
	"bytes"
	"iter"
	"strings"
	"unicode/utf8"
)

// sample is how much of a file decides about its charset, in bytes.
const sample = 64 << 10

// metaSample is how much of a page may come before its <meta charset>: the HTML
// standard has browsers look at 1,024 bytes.
const metaSample = 1024

// charsetOf returns the name of the encoding that a text file is known to have,
// or "". head is its first sample bytes, or all of it if whole.
//
// Known means: a byte order mark; what an HTML page says about itself; UTF-8
// where the bytes are valid and would hardly be so by chance, that is if they
// hold more than ASCII or are the whole file. Anything else gets no name, since
// a wrong one in the field beats the right one in the page.
func charsetOf(head []byte, whole, html bool) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		return "utf-8"
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return "utf-16be"
	}
	if html {
		if name := metaCharset(head[:min(len(head), metaSample)]); name != "" {
			return name
		}
	}
	valid, ascii := validUTF8(head, whole)
	if valid && (whole || !ascii) {
		return "utf-8"
	}
	return ""
}

// validUTF8 reports whether head is UTF-8, and whether it is nothing but ASCII.
// If head is not the whole file, a character cut off at its end does not count.
func validUTF8(head []byte, whole bool) (valid, ascii bool) {
	ascii = true
	for len(head) > 0 {
		if head[0] < utf8.RuneSelf {
			head = head[1:]
			continue
		}
		ascii = false
		r, size := utf8.DecodeRune(head)
		if r == utf8.RuneError && size == 1 {
			return !whole && !utf8.FullRune(head), ascii
		}
		head = head[size:]
	}
	return true, ascii
}

// metaCharset returns the encoding that a page names in <meta charset=…> or in
// the content of <meta http-equiv="Content-Type" …>, or "". A page that names a
// form of UTF-16 in letters readable as ASCII is wrong about itself, as the HTML
// standard has it, and named nothing.
func metaCharset(page []byte) string {
	lower := lowerASCII(page)
	for at := 0; ; {
		i := nextTag(lower[at:])
		if i < 0 {
			return ""
		}
		at += i
		end := bytes.IndexByte(lower[at:], '>')
		if end < 0 {
			return ""
		}
		if name := charsetIn(string(page[at : at+end])); name != "" {
			return name
		}
		at += end
	}
}

// nextTag returns the index behind the next "<meta" outside comments, or -1.
func nextTag(lower []byte) int {
	at := 0
	for {
		meta := bytes.Index(lower[at:], []byte("<meta"))
		if meta < 0 {
			return -1
		}
		comment := bytes.Index(lower[at:], []byte("<!--"))
		if comment < 0 || meta < comment {
			return at + meta + len("<meta")
		}
		end := bytes.Index(lower[at+comment:], []byte("-->"))
		if end < 0 {
			return -1
		}
		at += comment + end
	}
}

// charsetIn returns the encoding that the attributes of one <meta> tag name: as
// charset="…", or as content="…; charset=…" together with http-equiv. What other
// tags say about charsets (a description, say) is prose.
func charsetIn(tag string) string {
	var name, content string
	var pragma bool
	for key, value := range attributes(tag) {
		switch {
		case strings.EqualFold(key, "charset"):
			name = value
		case strings.EqualFold(key, "content"):
			content = value
		case strings.EqualFold(key, "http-equiv"):
			pragma = strings.EqualFold(value, "content-type")
		}
	}
	if name == "" && pragma {
		at := bytes.Index(lowerASCII([]byte(content)), []byte("charset"))
		if at < 0 {
			return ""
		}
		rest := strings.TrimLeft(content[at+len("charset"):], htmlSpace)
		if !strings.HasPrefix(rest, "=") {
			return ""
		}
		name = strings.Trim(rest[1:], htmlSpace+`"'`)
		if end := strings.IndexAny(name, htmlSpace+`;"'`); end >= 0 {
			name = name[:end]
		}
	}
	name = strings.Trim(name, htmlSpace)
	if !charsetName(name) || strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return ""
	}
	return name
}

// htmlSpace is what separates attributes.
const htmlSpace = " \t\r\n\f"

// attributes goes through the names and values of a tag's attributes, given what
// stands between the tag's name and its end.
func attributes(tag string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for {
			tag = strings.TrimLeft(tag, htmlSpace+"/")
			if tag == "" {
				return
			}
			end := strings.IndexAny(tag[1:], htmlSpace+"/=") + 1
			if end == 0 {
				end = len(tag)
			}
			var key, value string
			key, tag = tag[:end], strings.TrimLeft(tag[end:], htmlSpace)
			if strings.HasPrefix(tag, "=") {
				value, tag = attributeValue(strings.TrimLeft(tag[1:], htmlSpace))
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// attributeValue cuts the value, in quotes or bare, from the start of s.
func attributeValue(s string) (value, rest string) {
	if s == "" {
		return "", ""
	}
	if s[0] == '"' || s[0] == '\'' {
		value, rest, _ = strings.Cut(s[1:], s[:1])
		return value, rest
	}
	if end := strings.IndexAny(s, htmlSpace); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

// lowerASCII returns b with its ASCII capitals made small. Unlike bytes.ToLower it
// leaves every other byte where and what it is, whatever encoding that belongs to.
func lowerASCII(b []byte) []byte {
	lower := bytes.Clone(b)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return lower
}

// charsetName reports whether s has the form of a registered charset's name
// (RFC 2978 section 2.3, without what no registered name uses), so that it can
// stand in a field as it is.
func charsetName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '+':
		default:
			return false
		}
	}
	return true
}
