package asuser

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

func isFirstThread() bool { return syscall.Gettid() == os.Getpid() }

const same = ^uintptr(0) // an id that stays as it is

// wear gives the calling thread the rights of u, and takes all others from it, for
// good.
//
// It is the effective identity that changes, which files are judged by. By the
// real and the saved one the kernel judges who may send signals to the thread, or
// trace it: these stay the server's, or u could kill the server.
func (u *User) wear() error {
	var first *uint32
	if len(u.Groups) > 0 {
		first = &u.Groups[0]
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(u.Groups)), uintptr(unsafe.Pointer(first)), 0); errno != 0 {
		return os.NewSyscallError("setgroups", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESGID, same, uintptr(u.GID), same); errno != 0 {
		return os.NewSyscallError("setresgid", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, uintptr(u.UID), same); errno != 0 {
		return os.NewSyscallError("setresuid", errno)
	}
	// Not even the capabilities that the process keeps: f needs none.
	header, none := capHeader{version: capVersion}, capSets{}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0); errno != 0 {
		return os.NewSyscallError("capset", errno)
	}
	return nil
}

// capHeader and capSets are what capget and capset take: of all threads or one,
// and 64 capabilities in two halves.
type capHeader struct {
	version uint32
	pid     int32
}

type capSets [2]struct{ effective, permitted, inheritable uint32 }

const capVersion = 0x20080522 // _LINUX_CAPABILITY_VERSION_3

// kept are the capabilities that a server of several users keeps: to run programs
// as them (CAP_SETUID, CAP_SETGID), to end these (CAP_KILL), and to give somebody
// the folder that is made for him (CAP_CHOWN). With none of them it reads, writes
// or finds a file that it could not without.
const kept = 1<<0 | 1<<5 | 1<<6 | 1<<7 // CHOWN, KILL, SETGID, SETUID

// keptToo is kept if the process has it, which in a container it may not:
// CAP_SYS_RESOURCE, to limit programs of others without being them for a moment.
const keptToo = 1 << 24

const (
	prGetKeepCaps = 7
	prSetKeepCaps = 8
)

// MayKeep returns why a process that becomes somebody else could not go on to do
// things as others; nil if it could.
func MayKeep() error {
	// A thread of C's is beyond the runtime's reach.
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, prGetKeepCaps, 0, 0); errno != 0 {
		return fmt.Errorf("asuser: a program that is built with cgo cannot keep capabilities: %w", errors.ErrUnsupported)
	}
	header, has := capHeader{version: capVersion}, capSets{}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&has)), 0); errno != 0 {
		return os.NewSyscallError("capget", errno)
	}
	if has[0].permitted&kept != kept {
		return errors.New("asuser: it needs the capabilities CAP_SETUID, CAP_SETGID, CAP_KILL and CAP_CHOWN")
	}
	return nil
}

// Become gives the whole process, with all its threads, to u, for good. With keep
// Do goes on to work; MayKeep has said whether that is possible. It is called once,
// while nothing else runs that depends on who the process is.
func (u *User) Become(keep bool) error {
	if keep {
		if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, prSetKeepCaps, 1, 0); errno != 0 {
			return os.NewSyscallError("prctl", errno)
		}
	}
	if err := u.takeIDs(); err != nil {
		return err
	}
	if !keep {
		return nil
	}
	header, sets := &capHeader{version: capVersion}, &capSets{}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(sets)), 0); errno != 0 {
		return os.NewSyscallError("capget", errno)
	}
	left := sets[0].permitted & (kept | keptToo)
	*sets = capSets{{effective: left, permitted: left}}
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(sets)), 0); errno != 0 {
		return os.NewSyscallError("capset", errno)
	}
	return nil
}
