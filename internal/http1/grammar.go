package http1

import (
	"encoding/binary"
	"math/bits"
)

// The classes of a byte.
const (
	isToken   = 1 << iota // tchar, RFC 9110 section 5.6.2
	isValue               // what a field value may hold: VCHAR, SP, HTAB, obs-text
	isHost                // reg-name without percent-encoding, RFC 3986 section 3.2.2
	isHex                 // HEXDIG
	isTargets             // what a request target may hold: see classify
)

// classes is the grammar as a table: classes[c]&isToken != 0 says that c may
// stand in a token.
var classes = classify()

func classify() (t [256]uint8) {
	set := func(class uint8, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	const (
		digits = "0123456789"
		lower  = "abcdefghijklmnopqrstuvwxyz"
		upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	)
	set(isToken, digits+lower+upper+"!#$%&'*+-.^_`|~")
	set(isHost, digits+lower+upper+"-._~!$&'()*+,;=")
	set(isHex, digits+"abcdefABCDEF")
	for c := range 256 {
		// RFC 9110 section 5.5: obs-text is opaque data, other controls than
		// HTAB are refused.
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] |= isValue
		}
		// RFC 3986 knows fewer bytes, but browsers send | { } [ ] ^ " ` < > \
		// unescaped, and curl sends what the user typed, UTF-8 included. None
		// of these can end a target early, so nobody reads a different length.
		// A fragment never belongs on the wire (RFC 9112 section 3.2).
		if c > ' ' && c != 0x7f && c != '#' {
			t[c] |= isTargets
		}
	}
	return t
}

// all reports whether every byte of s is of the class.
func all[T string | []byte](s T, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// ValidFieldName reports whether name is a token (RFC 9110 section 5.1).
func ValidFieldName(name string) bool {
	return name != "" && all(name, isToken)
}

// ValidFieldValue reports whether value can stand in a field line: no control
// byte but HTAB (RFC 9110 section 5.5). White space around it is allowed; a
// recipient strips it.
func ValidFieldValue(value string) bool {
	return all(value, isValue)
}

// valueEnd returns where the first byte stands that a field value must not hold,
// len(b) if there is none. It looks at eight bytes at a time, since all bytes of
// a head go through it.
func valueEnd(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	i := 0
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		del := x ^ 0x7f*ones
		// A byte below 0x20 borrows into its top bit, and so does a zero byte
		// of del; a byte that had the top bit set to begin with is obs-text. A
		// borrow may flag bytes above the one that asked for it, never below:
		// the lowest flag is right.
		flags := ((x-0x20*ones)&^x | (del-ones)&^del) & highs
		if flags == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(flags) / 8
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && classes[b[i]]&isValue != 0 {
		i++
	}
	return i
}

// trim cuts SP and HTAB (OWS, RFC 9110 section 5.6.3) off both ends.
func trim[T string | []byte](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// equalFold reports whether s is the lower-case word in any case. Words of the
// protocol are ASCII: Unicode's folding would take the Kelvin sign for a k.
func equalFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
