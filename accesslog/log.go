package accesslog

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// flushEvery is how long a line waits at most: short enough for somebody
	// who watches, long enough that a busy server writes many lines at once.
	flushEvery = 100 * time.Millisecond
	// flushSize wakes the writer early. 64 KB is what a pipe holds.
	flushSize = 64 << 10
	// backlogSize bounds what waits while the writer is held up by a slow disk
	// or a reader that stands still. What comes on top is dropped and counted:
	// a server that answers is worth more than a line about it.
	backlogSize = 1 << 20
	// closeWait is the patience of Close.
	closeWait = time.Second
)

// Log is a destination for lines. Its methods are safe for concurrent use.
type Log struct {
	format Format
	path   string // "" if the destination was handed in
	report *slog.Logger
	clock  clock
	now    func() time.Time
	lines  sync.Pool // *[]byte: lines in the making

	wake chan struct{} // one token: something waits
	full chan struct{} // one token: flushSize is reached
	stop chan struct{} // closed by Close
	done chan struct{} // closed when the writer has ended

	mu       sync.Mutex // guards what follows; held for a copy, never for I/O
	pending  []byte
	closed   bool
	requests int64
	bytes    int64
	dropped  int64

	out   sync.Mutex // guards what follows; held during I/O
	w     io.Writer
	file  *os.File // w, if this Log opened it
	sick  bool     // the last write failed, which was reported
	spare []byte   // the buffer that is not pending
}

// Open returns a Log that appends to the file at path, which is made with mode
// 0640 if there is none: a log holds addresses of visitors. Write errors are
// reported to report (nil: not at all), once until writing works again. The
// caller must Close the Log.
func Open(path string, format Format, report *slog.Logger) (*Log, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	l := build(f, format, report)
	l.path, l.file = path, f
	go l.write()
	return l, nil
}

// New is Open for a writer that exists. Close does not close w.
func New(w io.Writer, format Format, report *slog.Logger) *Log {
	l := build(w, format, report)
	go l.write()
	return l
}

func build(w io.Writer, format Format, report *slog.Logger) *Log {
	if report == nil {
		report = slog.New(slog.DiscardHandler)
	}
	return &Log{
		format: format,
		report: report,
		now:    time.Now,
		lines:  sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }},
		wake:   make(chan struct{}, 1),
		full:   make(chan struct{}, 1),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		w:      w,
	}
}

func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("accesslog: open: %w", err)
	}
	return f, nil
}

// Add writes e. It never waits for the destination: where that one is more than
// a megabyte behind, or the Log is closed, the line is dropped and counted.
func (l *Log) Add(e *Entry) {
	// The line is made outside the lock, so that requests share it only for a copy.
	buf := l.lines.Get().(*[]byte)
	line := l.format.append((*buf)[:0], e, &l.clock)

	l.mu.Lock()
	l.requests++
	l.bytes += e.Bytes
	if l.closed || len(l.pending)+len(line) > backlogSize {
		l.dropped++
		l.mu.Unlock()
	} else {
		first := len(l.pending) == 0
		l.pending = append(l.pending, line...)
		full := len(l.pending) >= flushSize
		l.mu.Unlock()
		if first {
			signal(l.wake)
		}
		if full {
			signal(l.full)
		}
	}
	*buf = line
	l.lines.Put(buf)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // a token is there already
	}
}

// write is the one goroutine of a Log: it lets lines gather for flushEvery and
// writes them in one go.
func (l *Log) write() {
	defer close(l.done)
	timer := time.NewTimer(flushEvery)
	timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-l.stop:
			l.flush()
			return
		}
		timer.Reset(flushEvery)
		select {
		case <-timer.C:
		case <-l.full:
			timer.Stop()
		case <-l.stop:
			timer.Stop()
		}
		l.flush()
	}
}

// flush writes what waits.
func (l *Log) flush() {
	l.out.Lock()
	defer l.out.Unlock()
	l.mu.Lock()
	lines := l.pending
	l.pending = l.spare[:0]
	l.mu.Unlock()
	l.spare = lines
	if len(lines) == 0 {
		return
	}
	if _, err := l.w.Write(lines); err != nil {
		l.failed(err)
		return
	}
	if l.sick {
		l.sick = false
		l.report.Info("access log is written again", "dropped_lines", l.Dropped())
	}
}

// failed accounts for lines that could not be written. The error is reported
// here because the requests that the lines tell of are long answered.
func (l *Log) failed(err error) {
	lost := int64(0)
	for _, c := range l.spare {
		if c == '\n' {
			lost++
		}
	}
	l.mu.Lock()
	l.dropped += lost
	l.mu.Unlock()
	if !l.sick {
		l.sick = true
		l.report.Error("access log cannot be written; requests are served without it", "err", err)
	}
}

// Reopen writes what waits to the old file and goes on in a new one of the same
// path: what a log rotation asks for. A Log that was not opened by path has
// nothing to do. If the new file cannot be opened, the old one stays in use.
func (l *Log) Reopen() error {
	if l.path == "" {
		return nil
	}
	f, err := openFile(l.path)
	if err != nil {
		return err
	}
	l.flush()
	l.out.Lock()
	old := l.file
	l.w, l.file = f, f
	l.out.Unlock()
	if err := old.Close(); err != nil {
		return fmt.Errorf("accesslog: close: %w", err)
	}
	return nil
}

// Close writes what waits and ends the Log. Lines that come later are dropped.
// Where the destination takes nothing for closeWait, such as a pipe whose
// reader stands still, Close gives up and says so.
func (l *Log) Close() error {
	l.mu.Lock()
	was := l.closed
	l.closed = true
	l.mu.Unlock()
	if was {
		return nil
	}
	close(l.stop)
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		return errors.New("accesslog: close: the destination takes no more lines")
	}
	l.out.Lock()
	defer l.out.Unlock()
	if l.file == nil {
		return nil
	}
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("accesslog: close: %w", err)
	}
	return nil
}

// Totals returns how many requests were added and how many body bytes they
// were answered with, dropped lines included.
func (l *Log) Totals() (requests, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests, l.bytes
}

// Dropped counts the lines that were not written.
func (l *Log) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}
