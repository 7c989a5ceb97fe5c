//go:build !linux

package confine

import "syscall"

// Supported reports whether limits can be held on this system.
const Supported = false

// Rlimit is a limit of a process as the system knows it.
type Rlimit struct {
	Resource int
	Value    uint64
}

// Rlimits are none.
func (PerProcess) Rlimits() []Rlimit { return nil }

// Prepare does nothing.
func (*Cell) Prepare(*syscall.SysProcAttr, PerProcess) {}

// StartError returns err.
func StartError(_ *syscall.SysProcAttr, err error) error { return err }

// Impose does nothing.
func (*Cell) Impose(int, *syscall.Credential, PerProcess) error { return nil }
