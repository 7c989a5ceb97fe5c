// Package marshal writes values in Python's marshal format, so that a Python
// process can load them with marshal.loads and no other code.
//
// It writes version 2 of the format, and text always under the tag 'u': later
// versions give different bytes for equal values, and PyPy refuses Latin-1
// under the tags for short ASCII text. It reads nothing: what Python sends is
// never loaded as marshal, because the format was not made for untrusted input.
//
// All functions append to a slice and return it, as append does. A container is
// written by its head followed by its items; the caller writes as many items as
// it announced.
package marshal

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// AppendText appends s, which is valid UTF-8, as a str.
func AppendText(dst []byte, s string) []byte {
	dst = appendHead(dst, 'u', len(s))
	return append(dst, s...)
}

// AppendLatin1 appends a str whose code points are the bytes of s: what PEP 3333
// calls a native string. Any bytes will do.
func AppendLatin1(dst []byte, s string) []byte {
	dst, at := BeginText(dst)
	return EndText(AppendLatin1Part(dst, s), at)
}

// BeginText starts a str that is put together from several parts, and returns
// where it starts, for EndText.
func BeginText(dst []byte) ([]byte, int) {
	return append(dst, 'u', 0, 0, 0, 0), len(dst)
}

// AppendLatin1Part appends the bytes of s as code points to the str that
// BeginText started.
func AppendLatin1Part(dst []byte, s string) []byte {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return appendHigh(append(dst, s[:i]...), s[i:])
		}
	}
	return append(dst, s...)
}

// appendHigh appends the bytes of s as code points, whatever they are.
func appendHigh(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = utf8.AppendRune(dst, rune(s[i]))
	}
	return dst
}

// EndText ends the str that BeginText started at position at.
func EndText(dst []byte, at int) []byte {
	binary.LittleEndian.PutUint32(dst[at+1:], uint32(size(len(dst)-at-5)))
	return dst
}

// AppendBytes appends p as a bytes object.
func AppendBytes(dst, p []byte) []byte {
	dst = appendHead(dst, 's', len(p))
	return append(dst, p...)
}

// GrowBytes appends a bytes object of n bytes, which the caller fills in: room
// is where, and stays valid until the result is appended to.
func GrowBytes(dst []byte, n int) (_, room []byte) {
	dst = appendHead(dst, 's', n)
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	return dst, dst[at:]
}

// AppendInt appends n as an int.
func AppendInt(dst []byte, n int32) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, 'i'), uint32(n))
}

// AppendBool appends True or False.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 'T')
	}
	return append(dst, 'F')
}

// AppendNone appends None.
func AppendNone(dst []byte) []byte { return append(dst, 'N') }

// AppendTuple appends the head of a tuple of n items, which follow.
func AppendTuple(dst []byte, n int) []byte { return appendHead(dst, '(', n) }

// AppendList appends the head of a list of n items, which follow.
func AppendList(dst []byte, n int) []byte { return appendHead(dst, '[', n) }

// BeginDict starts a dict: keys and values follow in turn, then EndDict.
func BeginDict(dst []byte) []byte { return append(dst, '{') }

// EndDict ends the dict.
func EndDict(dst []byte) []byte { return append(dst, '0') }

func appendHead(dst []byte, tag byte, n int) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, tag), uint32(size(n)))
}

// size checks that n fits the format's signed 32-bit lengths. Callers limit
// what they send far below; a longer value is a programmer's error.
func size(n int) int {
	if n < 0 || n > math.MaxInt32 {
		panic("marshal: value longer than the format allows")
	}
	return n
}
