package cgi

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
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
func (l Limits) impose(pid int, user *User) error {
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
	if err := asOwner(user, func() error { return l.set(pid) }); err != nil {
		return err
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		return fmt.Errorf("%w: let it go: %w", errUnlimited, err)
	}
	return nil
}

func (l Limits) set(pid int) error {
	for _, limit := range l.list() {
		// No process may be given more than the server has: then that is its limit.
		var own syscall.Rlimit
		if err := prlimit(pid, limit.resource, nil, &own); err != nil {
			return err
		}
		value := min(limit.value, own.Max)
		if err := prlimit(pid, limit.resource, &syscall.Rlimit{Cur: value, Max: value}, nil); err != nil {
			return err
		}
	}
	return nil
}

// prlimit gives a process a limit, or tells the one it has.
func prlimit(pid, resource int, set, get *syscall.Rlimit) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("%w: prlimit: %w", errUnlimited, errno)
	}
	return nil
}

// asOwner calls f with the real identity of the calling thread changed to user:
// Linux asks for that, or for CAP_SYS_RESOURCE, which containers lack, to limit a
// process that has become somebody else. The effective identity stays, and with
// it all rights. Only the thread changes, which is a starter's own.
func asOwner(user *User, f func() error) error {
	if user == nil {
		return f()
	}
	const keep = ^uintptr(0)
	uid, gid := os.Getuid(), os.Getgid()
	defer func() {
		_, _, u := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), keep, keep)
		_, _, g := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(gid), keep, keep)
		if u != 0 || g != 0 {
			panic("cgi: a thread cannot become itself again") // its effective identity may do that
		}
	}()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(user.GID), keep, keep); errno != 0 {
		return fmt.Errorf("%w: setresgid: %w", errUnlimited, errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(user.UID), keep, keep); errno != 0 {
		return fmt.Errorf("%w: setresuid: %w", errUnlimited, errno)
	}
	return f()
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
