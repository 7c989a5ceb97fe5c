package http1

import (
	"bytes"
	"io"
	"math"
)

// maxExtension is how many bytes of chunk extensions a body may carry beyond
// one for each byte of data. Nobody uses extensions, and RFC 9112 section 7.1.1
// asks to limit them; net/http has the same 16 KB.
const maxExtension = 16 << 10

// maxSizeDigits is how many digits a chunk size may have: a 64-bit number's.
const maxSizeDigits = 16

// chunkState is what the next byte of a chunked body belongs to.
type chunkState uint8

const (
	inSize      chunkState = iota // chunk-size
	inExtension                   // chunk-ext, skipped
	inSizeEnd                     // the LF after size and extension
	inData                        // chunk-data
	inDataEnd                     // the CR after the data
	inDataEndLF                   // and its LF
	inTrailer                     // trailer section, up to its empty line
	inEnd                         // all consumed
)

// ChunkedDecoder takes the chunked coding off a body (RFC 9112 section 7.1).
// The zero value is ready. It is not safe for concurrent use.
type ChunkedDecoder struct {
	// Limits bounds the trailer section: Field, Fields and Head count for it
	// as for a head. The zero value means the defaults.
	Limits Limits

	state   chunkState
	digits  int
	size    int64 // what the running chunk's size line says, then what is left of it
	excess  int64 // extension bytes beyond the data, see maxExtension
	section []byte
	line    int // where the running line begins in section
	fields  int
	trailer map[string][]string
	err     error
}

// Decode reads coded bytes from src and writes the data in them to dst. It
// returns how many bytes it wrote and how many it read, and stops when dst is
// full or src is used up. With err io.EOF the body has ended, its trailer
// section included, and src[ns:] belongs to what follows. Any other error is an
// [*Error]: 400, or 431 for a trailer section beyond a limit. Errors repeat.
//
// dst and src may be the same slice: decoding never overtakes itself.
func (d *ChunkedDecoder) Decode(dst, src []byte) (nd, ns int, err error) {
	for d.err == nil {
		if d.state == inData {
			n := copy(dst[nd:], src[ns:ns+int(min(d.size, int64(len(src)-ns)))])
			nd, ns, d.size = nd+n, ns+n, d.size-int64(n)
			if d.size > 0 {
				return nd, ns, nil
			}
			d.state = inDataEnd
		}
		if ns == len(src) {
			return nd, ns, nil
		}
		if d.state == inTrailer {
			ns += d.readTrailer(src[ns:])
			continue
		}
		d.step(src[ns])
		ns++
	}
	return nd, ns, d.err
}

// Trailer returns the trailer fields under canonical names, without those that
// [TrailerAllowed] refuses; nil before Decode has returned io.EOF and where
// there are none.
func (d *ChunkedDecoder) Trailer() map[string][]string { return d.trailer }

// step moves on by one byte that is neither data nor trailer. A line end is
// CRLF and nothing else; a size is digits and nothing around them. That both
// sides count the same is all there is to a chunked body.
func (d *ChunkedDecoder) step(c byte) {
	switch d.state {
	case inSize:
		d.stepSize(c)
	case inExtension:
		if c == '\r' {
			d.state = inSizeEnd
			return
		}
		d.excess++
		switch {
		case classes[c]&isValue == 0:
			d.err = bad("control byte in a chunk extension")
		case d.excess > maxExtension:
			d.err = bad("chunk extensions are too long")
		}
	case inSizeEnd:
		if c != '\n' {
			d.err = bad("chunk size line ends with a bare CR")
			return
		}
		d.digits = 0
		d.excess = max(d.excess-d.size, 0)
		d.state = inData
		if d.size == 0 {
			d.state = inTrailer
		}
	case inDataEnd:
		if c != '\r' {
			d.err = bad("chunk data is longer than its size")
			return
		}
		d.state = inDataEndLF
	case inDataEndLF:
		if c != '\n' {
			d.err = bad("chunk data ends with a bare CR")
			return
		}
		d.state = inSize
	}
}

func (d *ChunkedDecoder) stepSize(c byte) {
	digit := int64(-1)
	switch {
	case '0' <= c && c <= '9':
		digit = int64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		digit = int64(c|0x20-'a') + 10
	}
	switch {
	case digit >= 0:
		if d.digits++; d.digits > maxSizeDigits || d.size > math.MaxInt64>>4 {
			d.err = bad("chunk size is too large")
			return
		}
		d.size = d.size<<4 | digit
	case d.digits == 0:
		d.err = bad("chunk without a size")
	case c == '\r':
		d.state = inSizeEnd
	case c == ';':
		d.state = inExtension
	default:
		// The white space that RFC 9112 section 7.1.1 calls bad included.
		d.err = bad("invalid byte in a chunk size")
	}
}

// readTrailer takes one line of the trailer section, or a part of it, and
// returns how many bytes that were.
func (d *ChunkedDecoder) readTrailer(src []byte) int {
	bounds := d.Limits.or()
	n := bytes.IndexByte(src, '\n')
	part, used := src, len(src)
	if n >= 0 {
		part, used = src[:n], n+1
	}
	d.section = append(d.section, part[:min(len(part), bounds.Head)]...)
	line := d.section[d.line:]
	switch {
	case len(line) > bounds.Field+1:
		d.err = tooLarge("trailer field is too long")
	case len(d.section)+1 > bounds.Head:
		d.err = tooLarge("trailer section is too large")
	case n < 0:
	case len(line) == 0 || line[len(line)-1] != '\r':
		d.err = bad("line ends with a bare LF")
	case len(line) == 1:
		d.endTrailer()
	default:
		d.section = append(d.section, '\n')
		d.line = len(d.section)
		if d.fields++; d.fields > bounds.Fields {
			d.err = tooLarge("too many trailer fields")
		}
	}
	return used
}

// endTrailer parses the section, which is complete but for the LF of its empty
// line.
func (d *ChunkedDecoder) endTrailer() {
	d.state, d.err = inEnd, io.EOF
	if d.line == 0 {
		return
	}
	text, lines, err := parseSection(d.section[:d.line], 0, nil)
	if err != nil {
		d.err = err
		return
	}
	d.section = nil
	notAllowed := func(name string) bool { return !TrailerAllowed(name) }
	if trailer := collect(text, lines, notAllowed); len(trailer) > 0 {
		d.trailer = trailer
	}
}
