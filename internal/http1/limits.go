package http1

// The defaults of [Limits]. nginx takes a request line and single fields of
// 8 KB and heads of 4 times that; browsers and proxies have lived with it for
// twenty years. A hundred fields are Apache's number.
const (
	DefaultRequestLine = 8 << 10
	DefaultField       = 8 << 10
	DefaultFields      = 100
	DefaultHead        = 32 << 10
)

// Limits bounds what a peer can make us hold. A zero field means its default.
// A nil *Limits means all of them.
type Limits struct {
	// RequestLine is the longest request line in bytes, without its CRLF.
	// Beyond it: 414 (or 501 where the method alone is absurd).
	RequestLine int
	// Field is the longest field line in bytes, without its CRLF. Beyond it: 431.
	Field int
	// Fields is the largest number of field lines. Beyond it: 431.
	Fields int
	// Head is the largest head in bytes, all CRLFs and empty lines before the
	// request line included; a buffer of this size is always large enough.
	// Beyond it: 431, or 414 while the request line has not ended.
	Head int
}

// or returns the limits with every default filled in.
func (l *Limits) or() Limits {
	out := Limits{DefaultRequestLine, DefaultField, DefaultFields, DefaultHead}
	if l == nil {
		return out
	}
	if l.RequestLine > 0 {
		out.RequestLine = l.RequestLine
	}
	if l.Field > 0 {
		out.Field = l.Field
	}
	if l.Fields > 0 {
		out.Fields = l.Fields
	}
	if l.Head > 0 {
		out.Head = l.Head
	}
	return out
}
