package http1

import (
	"slices"
	"strconv"
)

// AppendField appends a field line. A byte that a value must not hold, CR, LF
// and NUL among them, becomes a space, and white space around the value is
// dropped: whatever a handler puts into a value, it stays one line, and header
// injection ends here. The name must be valid ([ValidFieldName]).
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	at := len(dst)
	dst = append(dst, trim(value)...)
	for i := at + valueEnd(dst[at:]); i < len(dst); i += valueEnd(dst[i:]) {
		dst[i] = ' '
	}
	return append(dst, "\r\n"...)
}

// AppendHeader appends the field lines of h, names in sorted order so that the
// same header gives the same bytes. Names for which skip reports true are left
// out, and so are invalid ones: nothing that could be written for them would be
// what the handler meant. A nil skip leaves out none.
func AppendHeader(dst []byte, h map[string][]string, skip func(name string) bool) []byte {
	var few [24]string // on the stack; a response rarely has more fields
	names := few[:0]
	for name := range h {
		if (skip == nil || !skip(name)) && ValidFieldName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			dst = AppendField(dst, name, value)
		}
	}
	return dst
}

// AppendChunkHead appends what stands before a chunk's data. The data and
// [ChunkEnd] follow. The size must be above 0: a chunk of none ends the body.
func AppendChunkHead(dst []byte, size int64) []byte {
	dst = strconv.AppendInt(dst, size, 16)
	return append(dst, "\r\n"...)
}

// ChunkEnd stands after a chunk's data.
const ChunkEnd = "\r\n"

// AppendLastChunk appends the end of a chunked body: the last chunk, the
// trailer fields, of which those that [TrailerAllowed] refuses are left out,
// and the empty line.
func AppendLastChunk(dst []byte, trailer map[string][]string) []byte {
	dst = append(dst, "0\r\n"...)
	if len(trailer) > 0 {
		dst = AppendHeader(dst, trailer, func(name string) bool { return !TrailerAllowed(name) })
	}
	return append(dst, "\r\n"...)
}
