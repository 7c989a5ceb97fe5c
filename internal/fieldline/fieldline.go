// Package fieldline checks the field lines that a program writes for a response.
// What runs in the program is not ours: a line that a client could read in
// another way than we do never gets through.
//
// Request heads are the affair of internal/http1.
package fieldline

import (
	"bytes"
	"errors"
	"fmt"
)

// Parse splits a field line, which is without its line end, into name and value
// (RFC 9110, section 5). White space around the value is cut off; in front of
// the colon there may be none. Both are parts of line.
func Parse(line []byte) (name, value []byte, err error) {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return nil, nil, errors.New("a field line without a name")
	}
	name, value = line[:colon], line[colon+1:]
	for _, b := range name {
		if !tokenBytes[b] {
			return nil, nil, fmt.Errorf("byte %#x in a field's name", b)
		}
	}
	for _, b := range value {
		if b < ' ' && b != '\t' || b == 0x7f {
			return nil, nil, fmt.Errorf("byte %#x in a field's value", b)
		}
	}
	return name, bytes.Trim(value, " \t"), nil
}

// tokenBytes are the bytes of a token (RFC 9110, section 5.6.2).
var tokenBytes = func() (t [256]bool) {
	for _, b := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[b] = true
	}
	return t
}()
