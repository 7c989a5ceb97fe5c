package cgi

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// end is one of the two ends of a pipe.
type end uint8

const (
	readEnd end = iota
	writeEnd
)

// leftover is how long a read waits after the script's end. All of its output is
// in the pipe by then; only a process that has left the script's group can hold it
// open.
const leftover = 100 * time.Millisecond

// output is our end of the pipe that a script prints into. One goroutine reads.
type output struct {
	file *os.File

	mu    sync.Mutex
	ended bool  // the script has
	left  int64 // bytes that were in the pipe then and have not been read
}

// read reads what there is, and waits for it for the duration, for ever if it is
// negative. The error is io.EOF at the end, and os.ErrDeadlineExceeded if nothing
// came. What is printed after the script's end by a process that has left its group
// is no output of the script: whoever goes on printing does not hold the request.
func (o *output) read(b []byte, wait time.Duration) (int, error) {
	left, ended := o.setDeadline(wait)
	if !ended {
		n, err := o.file.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) && o.isOver() {
			err = io.EOF
		}
		return n, err
	}
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := o.file.Read(b[:min(int64(len(b)), left)])
	o.mu.Lock()
	o.left -= int64(n)
	o.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// setDeadline has the next read wait for so long, for ever if that is negative. It
// reports whether the script has ended, and how much it has left in the pipe.
func (o *output) setDeadline(wait time.Duration) (left int64, ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.ended:
		o.file.SetReadDeadline(time.Now().Add(leftover))
	case wait < 0:
		o.file.SetReadDeadline(time.Time{})
	default:
		o.file.SetReadDeadline(time.Now().Add(wait))
	}
	return o.left, o.ended
}

// held returns a reader of the next n bytes, which must be there already: it is
// never waited for.
func (o *output) held(n int64) io.Reader {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.file.SetReadDeadline(time.Time{}) // that of the last read may have passed while the client was waited for
	}
	return io.LimitReader(o.file, n)
}

// scriptEnded is called when the script has.
func (o *output) scriptEnded() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.left = true, unread(o.file)
	o.file.SetReadDeadline(time.Now().Add(leftover))
}

func (o *output) isOver() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}
