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
// line that was printed for it.
const mark = "\x00"

// logLines writes what a process prints to the log, a record for each line,
// until the stream ends.
func logLines(r io.Reader, log *slog.Logger, attrs ...any) {
	log = log.With(attrs...)
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		text := strings.TrimRight(string(line), "\r\n")
		id, text := cutMark(text)
		switch {
		case text == "":
		case id != "":
			log.Info(text, "request", id)
		default:
			log.Info(text)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// maxID bounds an identifier in a mark: the application may print anything.
const maxID = 128

// cutMark separates a line from its mark, if it has one.
func cutMark(line string) (id, text string) {
	rest, ok := strings.CutPrefix(line, mark)
	if !ok {
		return "", line
	}
	id, text, ok = strings.Cut(rest, mark)
	if !ok || len(id) > maxID {
		return "", line
	}
	return id, text
}
