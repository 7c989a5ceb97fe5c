package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/seed-07905ac1/gatehouse/internal/terminal"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Streams are where a daemon writes.
type Streams struct {
	Out io.Writer // the access log, if it is on "-"
	Err io.Writer // what is served where, and the log
}

// screen writes the few lines that tell a person what is going on: a label, what
// it says, and on a terminal some colour. It is safe for concurrent use.
type screen struct {
	mu     sync.Mutex
	w      io.Writer
	log    *slog.Logger // where lines go instead if the log is to be read by machines
	fancy  bool         // colour, and arrows that need UTF-8
	onTerm bool
	width  func() int // columns, which may change; 0 if unknown
}

// labelWidth leaves a gap behind the longest label, "warning".
const labelWidth = 11

func newScreen(w io.Writer) *screen {
	return &screen{w: w, onTerm: terminal.Is(w), fancy: terminal.Fancy(w), width: func() int {
		columns, _ := terminal.Size(w)
		return columns
	}}
}

// logTo has lines go to a log from now on, or to the screen if it is nil.
func (s *screen) logTo(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = log
}

// line writes one line.
func (s *screen) line(label, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log != nil {
		s.record(label, text)
		return
	}
	if !s.fancy {
		text = plainText.Replace(text)
	}
	text = wrap(text, s.width()-labelWidth)
	padded := fmt.Sprintf("%-*s", labelWidth, label)
	if s.fancy {
		padded = colour(label) + padded + "\x1b[0m"
	}
	_, _ = fmt.Fprintf(s.w, "%s%s\n", padded, printable(text)) // nobody is left to be told
}

// secret writes one line that is in no log, whoever reads that.
func (s *screen) secret(label, text string) {
	direct := screen{w: s.w, fancy: s.fancy, onTerm: s.onTerm, width: func() int { return 0 }} // a broken link is none
	s.mu.Lock()
	defer s.mu.Unlock()
	direct.line(label, "%s", text)
}

// failure says why code cannot be loaded, with Python's traceback if there is
// one.
func (s *screen) failure(err error) {
	start, ok := errors.AsType[*pyapp.StartError](err)
	if ok && start.Traceback != "" {
		s.line("failed", "%v\n%s", err, strings.TrimRight(start.Traceback, "\n"))
		return
	}
	for line := range strings.Lines(err.Error()) { // a configuration file may have several problems
		s.line("failed", "%s", strings.TrimRight(line, "\n"))
	}
}

// wrap breaks a text of one line that is wider than width between words, so that
// it stands beside its label. A width that leaves no room changes nothing.
func wrap(text string, width int) string {
	if width < labelWidth || utf8.RuneCountInString(text) <= width || strings.Contains(text, "\n") {
		return text
	}
	var b strings.Builder
	used := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", labelWidth))
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// record writes one line as a record of the log.
func (s *screen) record(label, text string) {
	if !strings.Contains(text, "\n") {
		text = strings.Join(strings.Fields(text), " ") // columns are for people
	}
	level := slog.LevelInfo
	switch label {
	case "":
		label = "note"
	case "warning":
		level = slog.LevelWarn
	case "failed":
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, label, "text", text)
}

// overwrite moves to the start of the line, so that what is written next takes
// the place of the ^C that a terminal shows.
func (s *screen) overwrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onTerm && s.log == nil {
		_, _ = io.WriteString(s.w, "\r")
	}
}

// plainText is for screens that may not know the characters.
var plainText = strings.NewReplacer("→", "->", "×", "x", "…", "...")

func colour(label string) string {
	switch label {
	case "warning":
		return "\x1b[33m" // yellow
	case "failed":
		return "\x1b[31m" // red
	case "ready", "serving":
		return "\x1b[32m" // green
	}
	return "\x1b[2m" // dim
}
