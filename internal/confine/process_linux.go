package confine

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Supported reports whether limits can be held on this system.
const Supported = true

// rlimitNProc is a resource that package syscall does not name. The number is that
// of Linux on every architecture that Go runs on, MIPS apart.
const rlimitNProc = 6

// Rlimit is a limit of a process as the system knows it.
type Rlimit struct {
	Resource int
	Value    uint64
}

// Rlimits are those that say the same.
func (l PerProcess) Rlimits() (limits []Rlimit) {
	add := func(resource int, value int64) {
		if value > 0 {
			limits = append(limits, Rlimit{resource, uint64(value)})
		}
	}
	add(syscall.RLIMIT_CPU, int64((l.CPU+time.Second-1)/time.Second))
	add(syscall.RLIMIT_AS, l.AddressSpace)
	add(syscall.RLIMIT_DATA, l.Data)
	add(syscall.RLIMIT_FSIZE, l.FileSize)
	add(syscall.RLIMIT_NOFILE, int64(l.Files))
	add(rlimitNProc, int64(l.Processes))
	return limits
}

// Prepare has a process that is started with attr be born in the cell, and wait for
// Impose if there is something to impose: the cell's own limits, and those of more.
func (c *Cell) Prepare(attr *syscall.SysProcAttr, more PerProcess) {
	if c != nil && c.group != nil {
		c.group.Attach(attr)
	}
	attr.Ptrace = c.each() != PerProcess{} || more != PerProcess{}
}

// StartError is what err, that of starting a process with attributes which Prepare
// was given, means: an ErrUnlimited where the system forbids what setting limits
// takes, else err.
func StartError(attr *syscall.SysProcAttr, err error) error {
	if attr.Ptrace && refused(err) {
		// The process itself may have been what was refused. So the same is tried with
		// a program that cannot be there, which is looked for last of all.
		if _, tried := syscall.ForkExec("", nil, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Ptrace: true}}); refused(tried) {
			return fmt.Errorf("%w: this system forbids ptrace, which setting limits takes: %w", ErrUnlimited, err)
		}
	}
	return err
}

func refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSYS)
}

// Impose sets the limits of a process that was started with attributes which
// Prepare was given, as user if that is not nil, and lets it go. Only the thread
// that has started the process may call it. After an error, which is an
// ErrUnlimited, the process has run nothing; the caller kills and reaps it.
//
// Limits cannot be given along when a process is started. Set while it runs, they
// would come too late for a fork bomb; set on the server around the fork, they
// would hold for the server. So the process asks to be traced, which stops it
// when it has been executed and before it does anything; there it gets its limits
// and is let go. That takes the thread which started it.
func (c *Cell) Impose(pid int, user *syscall.Credential, more PerProcess) error {
	limits := append(c.each().Rlimits(), more.Rlimits()...)
	if len(limits) == 0 {
		return nil
	}
	ended, err := awaitStop(pid)
	if err != nil {
		return fmt.Errorf("%w: wait: %w", ErrUnlimited, err)
	}
	if ended {
		return fmt.Errorf("%w: it ended at once", ErrUnlimited)
	}
	err = set(pid, limits)
	if user != nil && errors.Is(err, syscall.EPERM) {
		err = asOwner(user, func() error { return set(pid, limits) })
	}
	if err != nil {
		return err
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		return fmt.Errorf("%w: let it go: %w", ErrUnlimited, err)
	}
	return nil
}

// awaitStop waits until the process has stopped, or has ended, and reaps it in
// neither case: till then its number means nobody else, whom the caller could kill.
func awaitStop(pid int) (ended bool, err error) {
	const (
		pPID    = 1
		stopped = 2 // WSTOPPED, of which traced is a kind
		exited  = 4 // WEXITED
		noWait  = 0x01000000
		trapped = 4 // CLD_TRAPPED; the codes of an end are less
	)
	var info struct { // siginfo_t, as all have it but MIPS
		number, errno, code int32
		_                   [116]byte
	}
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), stopped|exited|noWait, 0, 0)
		if errno == 0 {
			return info.code < trapped, nil
		}
		if errno != syscall.EINTR {
			return false, errno
		}
	}
}

func set(pid int, limits []Rlimit) error {
	for _, limit := range limits {
		// No process may be given more than it has: then that is its limit.
		var own syscall.Rlimit
		if err := prlimit(pid, limit.Resource, nil, &own); err != nil {
			return err
		}
		value := min(limit.Value, own.Max)
		if err := prlimit(pid, limit.Resource, &syscall.Rlimit{Cur: value, Max: value}, nil); err != nil {
			return err
		}
	}
	return nil
}

// prlimit gives a process a limit, or tells the one it has.
func prlimit(pid, resource int, set, get *syscall.Rlimit) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("%w: prlimit: %w", ErrUnlimited, errno)
	}
	return nil
}

// asOwner calls f with the real identity of the calling thread changed to user:
// Linux asks for that, or for CAP_SYS_RESOURCE, which containers lack, to limit a
// process that has become somebody else. The effective identity stays, and with it
// all rights. Only the thread changes, which must be locked to its goroutine.
//
// Meanwhile the user may send signals to the thread, and so to the server; where
// the capability is there, nobody gets that chance.
func asOwner(user *syscall.Credential, f func() error) error {
	const keep = ^uintptr(0)
	uid, gid := os.Getuid(), os.Getgid()
	defer func() {
		_, _, u := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), keep, keep)
		_, _, g := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(gid), keep, keep)
		if u != 0 || g != 0 {
			panic("confine: a thread cannot become itself again") // its effective identity may do that
		}
	}()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(user.Gid), keep, keep); errno != 0 {
		return fmt.Errorf("%w: setresgid: %w", ErrUnlimited, errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(user.Uid), keep, keep); errno != 0 {
		return fmt.Errorf("%w: setresuid: %w", ErrUnlimited, errno)
	}
	return f()
}
