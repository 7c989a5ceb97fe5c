//go:build !linux

package asuser

import "errors"

func isFirstThread() bool { return false }

func (u *User) wear() error { return nil }

// MayKeep returns errors.ErrUnsupported.
func MayKeep() error { return errors.ErrUnsupported }

// Become gives the whole process to u, for good. keep is not possible.
func (u *User) Become(keep bool) error {
	if keep {
		return errors.ErrUnsupported
	}
	return u.takeIDs()
}
