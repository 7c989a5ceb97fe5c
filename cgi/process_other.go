//go:build !linux

package cgi

import (
	"os"
	"syscall"
	"time"
)

// attributes are those of a script's process. What Linux ends with the server
// lives on elsewhere.
func (c *cold) attributes(*int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: c.user.Credential()}
}

// keepDescriptors does nothing: there is no portable way to know them.
func keepDescriptors() {}

// await blocks until the process has ended, without reaping it.
func (p *child) await(int) {
	// The only portable way to wait without reaping is to watch what only the
	// process holds; there is none, so its group is not killed after its end.
	p.reap()
}

// newPipe returns the ends of a pipe.
func newPipe(end) (r, w *os.File, err error) { return os.Pipe() }

// widen makes a pipe hold more, where that is possible.
func widen(*os.File) {}

// await returns 0: output is copied here.
func (o *output) await(time.Duration) (int64, error) { return 0, nil }

// unread is at most how many bytes the pipe holds that f is an end of: as many as
// it can hold.
func unread(*os.File) int64 { return 64 << 10 }
