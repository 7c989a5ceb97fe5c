package pyapp

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Signals to a worker. They are real-time signals in the middle of the range,
// which applications hardly use.
const (
	sigStack     = syscall.Signal(44) // send the stacks that are asked for, from Python
	sigHardStack = syscall.Signal(45) // write all stacks to the dump pipe, from C
	sigInterrupt = syscall.Signal(46) // break off the request that is overdue
)

// signals are their numbers for the worker.
var signals = fmt.Sprintf("%d %d %d", sigStack, sigHardStack, sigInterrupt)

// stackStep is how far asking for the stack of a slow request has come.
type stackStep uint8

const (
	notAsked   stackStep = iota
	askedSoft            // the Python-level handler has been asked
	askedHard            // faulthandler has been asked
	stackKnown           // or given up
)

// softPatience is how long a worker may take to run a Python-level handler. It
// cannot while it is in C code; only then faulthandler is asked, because its
// handler reads frames that a running thread is changing, and may crash.
const softPatience = 250 * time.Millisecond

// hardPatience is how long faulthandler may take. It needs nothing but a little
// processor time, which a machine under load may not have at once.
const hardPatience = time.Second

// reportSlow logs the request with the stack of its thread, which is asked for
// in steps.
func (l *lane) reportSlow(c *call, now time.Time, age time.Duration) {
	w := l.worker
	switch c.watch.stack {
	case notAsked:
		l.mu.Lock()
		if !l.closed && slices.Contains(l.calls, c) {
			l.asked.Store(uint64(c.number))
		}
		l.mu.Unlock()
		_ = w.child.Signal(sigStack) // it may have ended
	case askedSoft:
		if c.isReported() {
			c.watch.stack = stackKnown
			return
		}
		if now.Sub(c.watch.asked) < softPatience {
			return
		}
		select {
		case <-w.dumps: // of an earlier request
		default:
		}
		_ = w.child.Signal(sigHardStack)
	case askedHard:
		select {
		case text := <-w.dumps:
			c.logSlow(w, text)
		default:
			if now.Sub(c.watch.asked) < hardPatience {
				return
			}
			c.logSlow(w, "")
		}
	case stackKnown:
		return
	}
	c.watch.stack++
	c.watch.asked = now
}

func (c *call) isReported() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slow
}

// SlowRequest is the message of the record that tells of a slow request, with its
// stack, for those who collect such records.
const SlowRequest = "a request is slow"

// logSlow logs the request as slow, once.
func (c *call) logSlow(w *worker, stack string) {
	c.mu.Lock()
	already := c.slow
	c.slow = true
	c.mu.Unlock()
	if already {
		return
	}
	if stack == "" {
		stack = "(the worker did not tell)"
	}
	since := c.began()
	c.pool.log.Warn(SlowRequest, "request", c.id, "method", c.method, "path", c.path, "worker", w.number, "pid", w.child.PID(),
		"waited", c.waited(since).Round(time.Millisecond), "running", time.Since(since).Round(time.Millisecond), "stack", stack)
}

// logOverdue logs that the request is given up.
func (c *call) logOverdue(w *worker, err error, age time.Duration) {
	c.pool.log.Error("a request is given up", "request", c.id, "method", c.method, "path", c.path, "worker", w.number, "pid", w.child.PID(),
		"running", age.Round(time.Millisecond), "error", err)
}

// began returns when the call became the one that its lane runs.
func (c *call) began() time.Time {
	l := c.lane.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since
}

// quiet is how long nothing comes from the dump pipe when a dump is over.
const quiet = 50 * time.Millisecond

// maxDump bounds what is kept of a dump.
const maxDump = 32 << 10

// readDumps collects what faulthandler writes, until the pipe ends.
func (w *worker) readDumps(r *os.File) {
	buf := make([]byte, 4096)
	var text strings.Builder
	for {
		n, err := r.Read(buf)
		if text.Len() < maxDump {
			text.Write(buf[:n])
		}
		if n > 0 && !w.buried.Load() {
			_ = r.SetReadDeadline(time.Now().Add(quiet)) // a pipe takes deadlines
			continue
		}
		if text.Len() > 0 {
			select {
			case w.dumps <- text.String():
			default: // nobody asked for so many
			}
			text.Reset()
		}
		if err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || w.buried.Load()) {
			return
		}
		_ = r.SetReadDeadline(time.Time{})
	}
}
