// Package asuser does single things with the rights of another user, in a process
// that runs as a third: docs/adr/0019-users.md.
//
// It is for what the server opens because somebody else has named it. Only Linux
// has rights of a single thread; elsewhere things are done with the server's.
package asuser

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
)

// User is an identity to run as, or to do something as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups; nil means none
}

// Same reports whether both are one user. Either may be nil, which is the
// server's own.
func (u *User) Same(v *User) bool {
	if u == nil || v == nil {
		return u == v
	}
	return u.UID == v.UID && u.GID == v.GID && slices.Equal(u.Groups, v.Groups)
}

// Credential is what has a process run as u; nil for the server's own.
func (u *User) Credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
}

// ErrRoot is the error of Do for root: nothing that anybody else has named is
// ever done with root's rights.
var ErrRoot = errors.New("asuser: nothing is done as root")

// Do calls f with the rights of u and returns its error: files are looked for,
// opened and made as if u did it. nil calls f as it is. An error that is not f's
// means that f was not called. Safe for concurrent use; each call costs a thread
// for as long as it takes.
//
// f runs in a goroutine of its own; another that it starts does not have these
// rights. It must start no process: that would have the user's effective id and the
// server's real and saved ones, which it could take back. A panic of it is the
// caller's.
func (u *User) Do(f func() error) error {
	if u == nil {
		return f()
	}
	if u.UID == 0 {
		return ErrRoot
	}
	var o outcome
	onThread(func() {
		if o.err = u.wear(); o.err != nil {
			o.err = fmt.Errorf("asuser: become user %d: %w", u.UID, o.err)
			return
		}
		o.call(f)
	})
	if o.panicked {
		panic(o.value)
	}
	return o.err
}

// Own gives an open file to u, as far as that is possible: pipes that a program
// has for its output belong to who made them, and only their owner can open
// /dev/stdout and /dev/stderr, which lead to them. nil leaves it as it is.
func (u *User) Own(f *os.File) {
	if u != nil {
		_ = f.Chown(int(u.UID), int(u.GID)) // without, only that is closed to u
	}
}

// takeIDs has all threads take the ids of u: real, effective and saved.
func (u *User) takeIDs() error {
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

// outcome is what became of a function.
type outcome struct {
	err      error
	panicked bool
	value    any
}

func (o *outcome) call(f func() error) {
	o.panicked = true
	defer func() {
		if o.panicked {
			o.value = recover()
		}
	}()
	o.err = f()
	o.panicked = false
}

// onThread runs f on a thread that ends with it, and waits.
//
// The goroutine never gives its thread back, so the runtime ends the thread with
// it. Nor does the runtime ever make a thread from one that a goroutine has
// locked: it has a clean one do that, which it starts when a thread is locked for
// the first time (newm and startTemplateThread in its proc.go). So what f's thread
// has become, no other one is.
//
// The first thread of a process cannot end, and would be as it is for ever: while
// a goroutine sits on that one, another does the work.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if isFirstThread() {
			onThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}
