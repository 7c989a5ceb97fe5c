package pyapp

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"strings"
)

// maxLine bounds a line of output; a longer one is logged in parts.
const maxLine = 8 << 10

// logLines writes what a process prints to the log, a record for each line,
// until the stream ends.
func logLines(r io.Reader, log *slog.Logger, attrs ...any) {
	log = log.With(attrs...)
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			log.Log(context.Background(), slog.LevelInfo, text)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
