package cgi

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

const limitsSupported = true

// attributes are those of a script's process. death gets a descriptor of it,
// where the kernel has such (Linux 5.4).
func (c *cold) attributes(death *int) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Setsid:    true,
		Pdeathsig: syscall.SIGKILL,
		PidFD:     death,
		// With limits to set, the process stops before its first instruction.
		Ptrace: c.limits != Limits{},
	}
	if u := c.user; u != nil {
		attr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	return attr
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
	const (
		pPID    = 1
		wExited = 4
		wNoWait = 0x01000000
	)
	var info [128]byte // siginfo_t, which nobody reads
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(p.pid), uintptr(unsafe.Pointer(&info)), wExited|wNoWait, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}

// Resources that package syscall does not name. The numbers are those of Linux
// on every architecture that Go runs on, MIPS apart.
const rlimitNProc = 6

// impose sets the limits of a process that waits for it, and lets it go.
//
// Limits cannot be given along when a process is started. Set while it runs, they
// would come too late for a fork bomb; set on the server around the fork, they
// would hold for the server. So the process asks to be traced, which stops it
// when it has been executed and before it does anything; there it gets its limits
// and is let go. That takes the thread which started it.
func (l Limits) impose(pid int) error {
	if l == (Limits{}) {
		return nil
	}
	const wAll = 0x40000000 // traced or not
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, wAll, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("%w: wait: %w", errUnlimited, err)
		}
	}
	if !status.Stopped() {
		return fmt.Errorf("%w: it ended at once", errUnlimited)
	}
	for _, limit := range l.list() {
		pair := syscall.Rlimit{Cur: limit.value, Max: limit.value}
		_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(limit.resource), uintptr(unsafe.Pointer(&pair)), 0, 0, 0)
		if errno != 0 {
			return fmt.Errorf("%w: prlimit: %w", errUnlimited, errno)
		}
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		return fmt.Errorf("%w: let it go: %w", errUnlimited, err)
	}
	return nil
}

type rlimit struct {
	resource int
	value    uint64
}

func (l Limits) list() (limits []rlimit) {
	add := func(resource int, value int64) {
		if value > 0 {
			limits = append(limits, rlimit{resource, uint64(value)})
		}
	}
	add(syscall.RLIMIT_CPU, int64((l.CPU+time.Second-1)/time.Second))
	add(syscall.RLIMIT_AS, l.Memory)
	add(syscall.RLIMIT_FSIZE, l.FileSize)
	add(syscall.RLIMIT_NOFILE, int64(l.Files))
	add(rlimitNProc, int64(l.Processes))
	return limits
}
