package privileges

import "syscall"

// prSetNoNewPrivs is an operation of prctl(2) that package syscall does not name.
const prSetNoNewPrivs = 38

// forgo has the calling thread, and what it starts, gain no privileges any more.
func forgo() error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
