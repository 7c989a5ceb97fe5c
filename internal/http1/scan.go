package http1

import "bytes"

// maxEmptyLines is how many empty lines may stand before a request line. RFC
// 9112 section 2.2 asks for at least one, which old clients send after a body;
// more than two is not a client but somebody who keeps us busy.
const maxEmptyLines = 2

// HeadScanner finds the end of a request head. It remembers what it has
// searched, so that a head that drips in byte by byte is still read once. The
// zero value is ready for the first head of a connection. It is not safe for
// concurrent use.
type HeadScanner struct {
	searched int  // bytes without a line end after the last one found
	line     int  // where the running line begins
	empty    int  // empty lines before the request line
	fields   int  // field lines that are complete
	begun    bool // the request line has begun
	started  bool // the request line is complete
}

// Reset makes the scanner ready for the next head.
func (s *HeadScanner) Reset() { *s = HeadScanner{} }

// Begun reports whether a request line has begun: a peer that has sent nothing,
// or only empty lines, owes no request and is idle.
func (s *HeadScanner) Begun() bool { return s.begun }

// Scan looks for the end of the head in buf, which holds all bytes since the
// head's beginning: those of the calls before, unchanged, and new ones. It
// returns the head's length, with the empty line that ends it and the empty
// lines that it may begin with, or 0 if more bytes are needed. An error is an
// [*Error] and comes as soon as it can be known, whether or not the head is
// complete. After an error or a length the scanner wants a Reset.
//
// Scan checks the lines' lengths, number and ends; [ParseRequest] checks what
// stands in them.
func (s *HeadScanner) Scan(buf []byte, lim *Limits) (int, error) {
	bounds := lim.or()
	for {
		if err := s.begin(buf); err != nil {
			return 0, err
		}
		n := bytes.IndexByte(buf[s.searched:], '\n')
		end := s.searched + n
		if n < 0 {
			end = len(buf)
			// The byte that is missing would be beyond the limit.
			if err := s.check(buf[s.line:end], end+1, &bounds); err != nil {
				return 0, err
			}
			s.searched = end
			return 0, nil
		}
		line := buf[s.line:end]
		if err := s.check(line, end+1, &bounds); err != nil {
			return 0, err
		}
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return 0, bad("line ends with a bare LF")
		}
		s.searched, s.line = end+1, end+1
		switch {
		case len(line) > 1 && !s.started:
			s.started = true
		case len(line) > 1:
			if s.fields++; s.fields > bounds.Fields {
				return 0, tooLarge("too many fields")
			}
		case s.started:
			return end + 1, nil
		default:
			if s.empty++; s.empty > maxEmptyLines {
				return 0, bad("empty lines instead of a request line")
			}
		}
	}
}

// begin looks at the first byte of the request line: a TLS handshake on a
// plain port, say, would otherwise wait for its line end until the time-out.
func (s *HeadScanner) begin(buf []byte) error {
	if s.begun || len(buf) == s.line {
		return nil
	}
	switch first := buf[s.line:]; {
	case classes[first[0]]&isToken != 0:
		s.begun = true
	case first[0] != '\r' || len(first) > 1 && first[1] != '\n':
		return bad("request does not begin with a method")
	}
	return nil
}

// check applies the limits on sizes to a line, complete but for its LF or not
// complete at all, in a head that takes at least size bytes. The same bytes
// give the same verdict however they were cut, since a line counts as too long
// only when it is so without a CR at its end.
func (s *HeadScanner) check(line []byte, size int, bounds *Limits) error {
	if s.started {
		switch {
		case len(line) > bounds.Field+1:
			return tooLarge("field is too long")
		case size > bounds.Head:
			return tooLarge("head is too large")
		}
		return nil
	}
	if len(line) <= bounds.RequestLine+1 && size <= bounds.Head {
		return nil
	}
	// RFC 9112 section 3: 414 is for a target that is too long, 501 for a
	// method that is longer than any that could be meant.
	if method, _, found := bytes.Cut(line, []byte{' '}); found && len(method) <= maxMethod {
		return &Error{Status: 414, Reason: "request line is too long"}
	}
	return errMethodTooLong()
}
