package detect

import (
	"bytes"
	"strings"
)

// statement is one logical line of Python source: comments gone, lines inside
// brackets and after a backslash joined, runs of blanks made one space.
type statement struct {
	line   int      // where it begins, from 1
	indent int      // blanks before it; 0 is the top level
	code   string   // each string literal, prefix and quotes included, is one '$'
	text   []string // the literals' contents in order, escapes as written
}

// isLiteral reports whether the statement binds name to one string literal.
func (s *statement) isLiteral(name string) bool {
	rest, ok := strings.CutPrefix(s.code, name)
	return ok && strings.ReplaceAll(rest, " ", "") == "=$"
}

// maxNesting bounds literals within the braces of f-strings within literals;
// deeper ones are read as plain text. People stop at two.
const maxNesting = 16

// scan splits Python source into statements. It accepts anything: what is not
// Python gives statements that nothing will recognise. A compound statement
// with its suite on the same line stays one statement. TOML is close enough
// (comments, quotes, brackets) for simple files to be read with it too.
func scan(src []byte) []statement {
	s := scanner{src: bytes.TrimPrefix(src, []byte("\ufeff")), line: 1}
	for s.pos < len(s.src) {
		s.step()
	}
	s.end()
	return s.out
}

type scanner struct {
	src  []byte
	pos  int
	line int // of pos
	out  []statement

	cur      statement
	code     []byte
	brackets int
}

// step passes the next element of the source, at least one byte.
func (s *scanner) step() {
	switch c := s.src[s.pos]; c {
	case '#':
		for s.pos < len(s.src) && !isNewline(s.src[s.pos]) {
			s.pos++
		}
	case '\n', '\r':
		s.newline()
		if s.brackets > 0 {
			s.blank()
			return
		}
		s.end()
	case '\\':
		s.pos++
		if s.pos < len(s.src) && isNewline(s.src[s.pos]) {
			s.newline()
			s.blank()
			return
		}
		s.emit(c)
	case '"', '\'':
		s.literal()
	case ' ', '\t', '\f':
		s.pos++
		if len(s.code) == 0 {
			s.cur.indent++
		}
		s.blank()
	case ';':
		s.pos++
		if s.brackets > 0 {
			s.emit(c)
			return
		}
		indent := s.cur.indent // of what follows on the line too
		s.end()
		s.cur.indent = indent
		for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
			s.pos++
		}
	case '(', '[', '{':
		s.pos++
		s.brackets++
		s.emit(c)
	case ')', ']', '}':
		s.pos++
		s.brackets = max(s.brackets-1, 0)
		s.emit(c)
	case '$':
		s.pos++
		s.emit('?') // no Python outside literals, and ours for literals
	default:
		s.pos++
		s.emit(c)
	}
}

// emit appends a byte of code.
func (s *scanner) emit(c byte) {
	if len(s.code) == 0 {
		s.cur.line = s.line
	}
	s.code = append(s.code, c)
}

// blank separates what follows from what precedes it.
func (s *scanner) blank() {
	if n := len(s.code); n > 0 && s.code[n-1] != ' ' {
		s.code = append(s.code, ' ')
	}
}

// end closes the current statement, if there is one.
func (s *scanner) end() {
	if code := strings.TrimRight(string(s.code), " "); code != "" {
		s.cur.code = code
		s.out = append(s.out, s.cur)
	}
	s.cur = statement{}
	s.code = s.code[:0]
}

// newline passes LF, CR LF or CR.
func (s *scanner) newline() {
	if s.src[s.pos] == '\r' && s.pos+1 < len(s.src) && s.src[s.pos+1] == '\n' {
		s.pos++
	}
	s.pos++
	s.line++
}

// literal passes a string literal and notes its content.
func (s *scanner) literal() {
	line := s.line
	formatted := s.dropPrefix()
	quote := s.quote()
	start := s.pos + len(quote)
	s.pass(formatted, maxNesting)
	end := s.pos
	if end-len(quote) >= start && bytes.HasSuffix(s.src[start:end], []byte(quote)) {
		end -= len(quote)
	}
	if len(s.code) == 0 {
		s.cur.line = line
	}
	s.code = append(s.code, '$')
	s.cur.text = append(s.cur.text, string(s.src[start:end]))
}

// quote is what opens and closes the literal that begins here.
func (s *scanner) quote() string {
	c := s.src[s.pos]
	if triple := bytes.Repeat([]byte{c}, 3); bytes.HasPrefix(s.src[s.pos:], triple) {
		return string(triple)
	}
	return string(c)
}

// dropPrefix takes a literal's prefix (r, b, u, f, t, in pairs, in either case)
// back off the code and reports whether expressions in braces may follow.
func (s *scanner) dropPrefix() (formatted bool) {
	n := len(s.code)
	for n > 0 && isIdent(s.code[n-1]) {
		n--
	}
	prefix := strings.ToLower(string(s.code[n:]))
	if len(prefix) > 2 || strings.Trim(prefix, "rbuft") != "" {
		return false
	}
	s.code = s.code[:n]
	return strings.ContainsAny(prefix, "ft")
}

// pass moves over the literal that begins at pos, the closing quote included.
// One that is not closed ends before the line's end, or with the source if its
// quotes are triple. In an f-string a quote within braces opens a literal of
// its own (PEP 701); older Pythons had no way to write one that this misreads.
func (s *scanner) pass(formatted bool, nesting int) {
	quote := s.quote()
	s.pos += len(quote)
	braces := 0
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case c == '\\' && s.pos+1 < len(s.src):
			// A raw literal's backslash shields a quote too.
			s.pos++
			if isNewline(s.src[s.pos]) {
				s.newline()
			} else {
				s.pos++
			}
		case isNewline(c):
			if len(quote) == 1 {
				return
			}
			s.newline()
		case braces > 0 && (c == '"' || c == '\'') && nesting > 0:
			s.pass(bytes.IndexByte([]byte("fFtT"), s.src[s.pos-1]) >= 0, nesting-1)
		case bytes.HasPrefix(s.src[s.pos:], []byte(quote)):
			s.pos += len(quote)
			return
		case formatted && c == '{':
			if braces == 0 && s.pos+1 < len(s.src) && s.src[s.pos+1] == '{' {
				s.pos++ // a doubled brace is text
			} else {
				braces++
			}
			s.pos++
		case formatted && c == '}':
			braces = max(braces-1, 0)
			s.pos++
		default:
			s.pos++
		}
	}
}

func isNewline(c byte) bool { return c == '\n' || c == '\r' }

// isIdent reports whether c may stand in an identifier; every byte beyond ASCII may.
func isIdent(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
