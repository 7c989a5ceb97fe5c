package static

import (
	"strconv"
	"strings"
)

// maxRanges is how many parts one response may have. Readers of PDF files ask for
// a dozen; nobody needs hundreds.
const maxRanges = 32

// byteRange is a part of a representation: length bytes from start, at least one.
type byteRange struct {
	start, length int64
}

// contentRange is the value of the Content-Range of b in size bytes.
func (b byteRange) contentRange(size int64) string {
	dst := append(make([]byte, 0, 64), "bytes "...)
	dst = strconv.AppendInt(dst, b.start, 10)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, b.start+b.length-1, 10)
	dst = append(dst, '/')
	return string(strconv.AppendInt(dst, size, 10))
}

// rangeVerdict is what a Range field comes to.
type rangeVerdict uint8

const (
	rangeIgnored     rangeVerdict = iota // answer with the whole
	rangeSatisfiable                     // answer with the parts
	rangeNot                             // 416: nothing of what was asked for is there
)

// parseRange reads the lines of a Range field for a representation of size bytes
// (RFC 9110 section 14.2). Parts come in the order asked for, cut at the end of
// the representation; those that lie behind it are left out.
//
// Ignored, so that the whole is sent: other units and malformed fields, as the
// section requires and allows; more than maxRanges parts, or parts that overlap so
// that they are more than the whole, which only serve to make a server work; and
// any range of nothing, since some clients ask for "bytes=0-" always.
func parseRange(lines []string, size int64) ([]byteRange, rangeVerdict) {
	if len(lines) != 1 || size == 0 {
		return nil, rangeIgnored
	}
	unit, set, ok := strings.Cut(lines[0], "=")
	if !ok || !strings.EqualFold(trimSpace(unit), "bytes") {
		return nil, rangeIgnored
	}
	var ranges []byteRange
	var specs int
	var sum int64
	for spec := range strings.SplitSeq(set, ",") {
		spec = trimSpace(spec)
		if spec == "" {
			continue // empty list elements count for nothing (section 5.6.1.2)
		}
		if specs++; specs > maxRanges {
			return nil, rangeIgnored
		}
		part, satisfiable, ok := parseSpec(spec, size)
		if !ok {
			return nil, rangeIgnored
		}
		if !satisfiable {
			continue
		}
		if sum += part.length; sum > size {
			return nil, rangeIgnored
		}
		ranges = append(ranges, part)
	}
	switch {
	case specs == 0:
		return nil, rangeIgnored
	case len(ranges) == 0:
		return nil, rangeNot
	}
	return ranges, rangeSatisfiable
}

// parseSpec reads one part. ok is false if it is malformed.
//
//	int-range    = first-pos "-" [ last-pos ]
//	suffix-range = "-" suffix-length
func parseSpec(spec string, size int64) (part byteRange, satisfiable, ok bool) {
	first, last, dash := strings.Cut(spec, "-")
	if !dash {
		return part, false, false
	}
	if first == "" {
		length, ok := position(last)
		length = min(length, size)
		return byteRange{size - length, length}, length > 0, ok
	}
	start, ok := position(first)
	if !ok {
		return part, false, false
	}
	end := size - 1
	if last != "" {
		if end, ok = position(last); !ok || end < start {
			return part, false, false
		}
		end = min(end, size-1)
	}
	return byteRange{start, end - start + 1}, start < size, true
}

// position reads 1*DIGIT. A number too large for the type is larger than any
// file, and stays so when cut down to the largest.
func position(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	const highest = 1<<63 - 1
	var n int64
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		digit := int64(c - '0')
		if n > (highest-digit)/10 {
			n = highest
			continue
		}
		n = n*10 + digit
	}
	return n, true
}
