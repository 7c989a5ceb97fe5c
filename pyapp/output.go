package pyapp

import (
	"bufio"
	"io"
	"log/slog"
	"strings"
)

// maxLine bounds a line of output; a longer one is logged in parts.
const maxLine = 8 << 10

// mark stands before and after the identifier of a request at the start of a
// line that was printed for it, and once more if the next line belongs to it.
const mark = "\x00"

// logLines writes what a process prints to the log until the stream ends: a
// record for each line, or for all lines that a request printed at once.
func logLines(r io.Reader, log *slog.Logger, attrs ...any) {
	log = log.With(attrs...)
	var p piece
	defer func() { p.flush(log) }()
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		id, text, more := cutMark(strings.TrimRight(string(line), "\r\n"))
		if id != p.id {
			p.flush(log) // threads print at the same time
		}
		p.add(id, text)
		if !more || p.size > maxPiece {
			p.flush(log)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// maxPiece bounds, roughly, the text of one record in bytes.
const maxPiece = 64 << 10

// piece is output that belongs together.
type piece struct {
	id    string // of the request, "" if it is none's
	lines []string
	size  int
}

func (p *piece) add(id, line string) {
	if line == "" && len(p.lines) == 0 {
		return
	}
	p.id = id
	p.lines = append(p.lines, line)
	p.size += len(line) + 1
}

// flush logs the piece and begins a new one.
func (p *piece) flush(log *slog.Logger) {
	if len(p.lines) > 0 {
		var attrs []any
		if p.id != "" {
			attrs = append(attrs, "request", p.id)
		}
		if rest := strings.TrimRight(strings.Join(p.lines[1:], "\n"), "\n"); rest != "" {
			attrs = append(attrs, "output", rest)
		}
		log.Info(p.lines[0], attrs...)
	}
	*p = piece{}
}

// maxID bounds an identifier in a mark: the application may print anything.
const maxID = 128

// cutMark separates a line from its mark, if it has one. more says that the next
// line belongs to it.
func cutMark(line string) (id, text string, more bool) {
	rest, ok := strings.CutPrefix(line, mark)
	if !ok {
		return "", line, false
	}
	id, text, ok = strings.Cut(rest, mark)
	if !ok || len(id) > maxID {
		return "", line, false
	}
	text, more = strings.CutPrefix(text, mark)
	return id, text, more
}
