package cgi

import (
	"math"
	"os"
	"strconv"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// attributes are those of a script's process. death gets a descriptor of it,
// where the kernel has such (Linux 5.4).
func (c *cold) attributes(death *int) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Setsid:     true,
		Pdeathsig:  syscall.SIGKILL,
		PidFD:      death,
		Credential: c.user.Credential(),
	}
	c.cell.Prepare(attr, c.limits.each())
	return attr
}

// keepDescriptors sees to it that scripts get none of the descriptors that the
// server itself was started with: what it opens is closed on exec in any case,
// but not what its parent has left open.
func keepDescriptors() {
	const (
		sysCloseRange = 436
		closeOnExec   = 4 // CLOSE_RANGE_CLOEXEC: mark them, do not close
	)
	if _, _, errno := syscall.Syscall(sysCloseRange, 3, math.MaxUint32, closeOnExec); errno == 0 {
		return
	}
	// Linux before 5.11.
	entries, _ := os.ReadDir("/proc/self/fd") // without /proc there is no way to know
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// await blocks until the process has ended, without reaping it.
func (p *child) await(death int) {
	if death >= 0 {
		if syscall.SetNonblock(death, true) == nil {
			f := os.NewFile(uintptr(death), "pidfd")
			defer f.Close()
			if pyproc.AwaitDeath(f) == nil {
				return
			}
		} else {
			syscall.Close(death)
		}
	}
	lifeline.Await(p.pid)
}
