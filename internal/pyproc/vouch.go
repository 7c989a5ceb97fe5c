package pyproc

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

var (
	// ErrGone is the error of Vouch for a process that has ended and been reaped.
	ErrGone = errors.New("pyproc: the process has ended")
	// ErrForeign is the error of Vouch for a process that is none of the template's.
	ErrForeign = errors.New("pyproc: the template named a process that is not its child")
)

// Vouch returns a pidfd of the process of which the template has told the number,
// if it is a child of the template; the caller closes it. The error is ErrForeign,
// ErrGone, ErrEnded if the template has ended, or says why nobody knows.
//
// A template runs the application's code and tells what that wants, but the server
// may signal processes that the application may not: the kernel has the last word
// on whose they are. Safe for concurrent use.
func (t *Template) Vouch(pid int) (*os.File, error) {
	if pid <= 1 {
		return nil, fmt.Errorf("%w: %d", ErrForeign, pid)
	}
	death, err := watchDeath(pid)
	if err != nil {
		return nil, cmp.Or(goneIf(err), err)
	}
	if err := t.vouch(death, pid); err != nil {
		death.Close()
		return nil, err
	}
	return death, nil
}

// vouch is Vouch for a number that was that of the process behind death a moment
// ago.
func (t *Template) vouch(death *os.File, pid int) error {
	parent, err := t.parentOf(pid)
	// As long as they are not reaped, both numbers are theirs: so they were while
	// we looked.
	if gone := Unreaped(death); gone != nil {
		return gone
	}
	if err != nil {
		return fmt.Errorf("pyproc: whose child process %d is: %w", pid, err)
	}
	if parent != t.PID() {
		if t.hasEnded() { // its children are others' by then
			return ErrEnded
		}
		return fmt.Errorf("%w: %d", ErrForeign, pid)
	}
	if errors.Is(t.cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return ErrEnded
	}
	return nil
}

// hasEnded reports whether the template has ended, reaped or not.
func (t *Template) hasEnded() bool {
	death, err := watchDeath(t.PID())
	if err != nil {
		return goneIf(err) != nil
	}
	defer death.Close()
	return hasDied(death)
}

// parentOf returns the number of the parent of a process of the template's user.
func (t *Template) parentOf(pid int) (int, error) {
	var stat []byte
	read := func() (err error) {
		stat, err = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err
	}
	err := read()
	if err != nil && t.user != nil {
		err = t.user.Do(read) // /proc may show nobody what is another's
	}
	if err != nil {
		return 0, err
	}
	return parentIn(string(stat))
}

// parentIn returns the parent's number in what /proc tells of a process.
func parentIn(stat string) (int, error) {
	// The name in parentheses is what the process likes, parentheses included.
	if fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]); len(fields) > 1 {
		return strconv.Atoi(fields[1])
	}
	return 0, errors.New("it is not told")
}

// Unreaped returns nil as long as the process behind f, a pidfd, has its number,
// which is until it is reaped, and ErrGone afterwards.
func Unreaped(f *os.File) error { return goneIf(signalProcess(f, 0)) }

// goneIf returns ErrGone if err says that there is no such process.
func goneIf(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	return nil
}
