//go:build !linux

package asuser

import (
	"errors"
	"os"
	"syscall"
)

func isFirstThread() bool { return false }

func (u *User) wear() error { return nil }

// MayKeep returns errors.ErrUnsupported.
func MayKeep() error { return errors.ErrUnsupported }

// Become gives the whole process to u, for good. keep is not possible.
func (u *User) Become(keep bool) error {
	if keep {
		return errors.ErrUnsupported
	}
	groups := make([]int, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setgid(int(u.GID)); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setuid(int(u.UID)); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	return nil
}
