// Package terminal tells what a program may write to whoever reads it: whether
// that is a terminal, how large it is, and which characters and colours it
// understands. It draws nothing.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Is reports whether w is a character device that somebody may look at.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// Fancy reports whether colour and characters beyond ASCII are welcome on w.
func Fancy(w io.Writer) bool {
	return Is(w) && os.Getenv("NO_COLOR") == "" && utf8Locale()
}

// Size is how many columns and rows the terminal behind w has, 0 for what it
// does not say.
func Size(w io.Writer) (columns, rows int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}

// Raw has every key be read at once and shown by nobody, until restore is called.
func Raw(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("terminal: read single keys: %w", err)
	}
	return func() { _ = term.Restore(fd, before) }, nil // a terminal that has gone needs nothing
}

// Typed reports whether what f reads is typed, on a terminal of whatever kind.
func Typed(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Secret reads a line from a terminal that does not show it.
func Secret(f *os.File) (string, error) {
	text, err := term.ReadPassword(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("terminal: read a secret: %w", err)
	}
	return string(text), nil
}

// Printable replaces what could move the cursor: names and texts of others can
// hold anything. Ends of lines stay.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// Line is Printable for what is to stay in one line.
func Line(s string) string { return strings.ReplaceAll(Printable(s), "\n", " ") }

// utf8Locale reports whether the environment says that UTF-8 is understood, by
// the precedence of POSIX locale variables.
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(os.Getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}
