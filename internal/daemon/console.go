package daemon

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// console is a slog.Handler for people: one line a record, and what has several
// lines, such as a traceback, indented below it as it is. slog's own text form
// would press it into one line.
//
// Control characters are replaced, so that nothing an application or a client
// says can move the cursor of whoever reads.
type console struct {
	out   *sync.Mutex // guards w; shared by all that come from one console
	w     io.Writer
	clock string // layout of the time
	fancy bool
	group string      // prefix of keys, with its dot
	attrs []slog.Attr // keys complete
}

// newConsole writes records to w. On a terminal the date is left out.
func newConsole(w io.Writer) *console {
	c := &console{out: new(sync.Mutex), w: w, clock: "2006-01-02T15:04:05.000Z07:00"}
	if s := newScreen(w); s.onTerm {
		c.clock, c.fancy = "15:04:05", s.fancy
	}
	return c
}

// ForPeople is a handler that writes records as a server's log has them unless
// told otherwise.
func ForPeople(w io.Writer) slog.Handler { return newConsole(w) }

// Enabled implements slog.Handler.
func (c *console) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (c *console) Handle(_ context.Context, r slog.Record) error {
	var line, below strings.Builder
	if !r.Time.IsZero() {
		line.WriteString(r.Time.Format(c.clock))
		line.WriteByte(' ')
	}
	level := r.Level.String()
	if c.fancy {
		level = levelColour(r.Level) + level + "\x1b[0m"
	}
	line.WriteString(level)
	line.WriteByte(' ')
	line.WriteString(strings.ReplaceAll(printable(r.Message), "\n", " "))
	for _, a := range c.attrs {
		appendAttr(&line, &below, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&line, &below, c.group, a)
		return true
	})
	line.WriteByte('\n')
	line.WriteString(below.String())
	c.out.Lock()
	defer c.out.Unlock()
	_, err := io.WriteString(c.w, line.String())
	return err
}

// appendAttr adds a to the line, or below it if it has several lines.
func appendAttr(line, below *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range v.Group() {
			appendAttr(line, below, group, inner)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	text := v.String()
	if strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		for row := range strings.Lines(strings.TrimRight(text, "\n")) {
			below.WriteString("    ")
			below.WriteString(printable(strings.TrimRight(row, "\r\n")))
			below.WriteByte('\n')
		}
		return
	}
	line.WriteByte(' ')
	line.WriteString(printable(group + a.Key))
	line.WriteByte('=')
	if text == "" || strings.ContainsAny(text, " \"=") || strconv.Quote(text) != `"`+text+`"` {
		text = strconv.Quote(text)
	}
	line.WriteString(text)
}

// WithAttrs implements slog.Handler.
func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	d := *c
	d.attrs = d.attrs[:len(d.attrs):len(d.attrs)]
	for _, a := range attrs {
		if a.Key == "" && a.Value.Kind() == slog.KindGroup {
			a.Key = strings.TrimSuffix(c.group, ".") // its members belong to the group itself
		} else {
			a.Key = c.group + a.Key
		}
		d.attrs = append(d.attrs, a)
	}
	return &d
}

// WithGroup implements slog.Handler.
func (c *console) WithGroup(name string) slog.Handler {
	if name == "" {
		return c
	}
	d := *c
	d.group += name + "."
	return &d
}

func levelColour(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "\x1b[31m" // red
	case l >= slog.LevelWarn:
		return "\x1b[33m" // yellow
	}
	return "\x1b[2m" // dim
}

var _ slog.Handler = (*console)(nil)
