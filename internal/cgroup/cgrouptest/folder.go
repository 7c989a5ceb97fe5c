// Package cgrouptest is help for tests with control groups.
package cgrouptest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Folder makes a control group for a test in which nobody is, and removes it at the
// end. Where the test may not make one it is an ordinary folder with the files of
// a group; kernels reports whether it is one.
func Folder(t testing.TB) (dir string, kernels bool) {
	t.Helper()
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		for line := range strings.Lines(string(mounts)) {
			before, after, _ := strings.Cut(line, " - ")
			if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
				if dir, err = os.MkdirTemp(fields[4], "gatehouse-test-"); err == nil {
					t.Cleanup(func() { remove(t, dir) })
					return dir, true
				}
			}
		}
	}
	return Played(t), false
}

// Played makes an ordinary folder with the files of a control group, whose group
// has all controllers.
func Played(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cgroup.type": "domain\n", "cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup.procs": "", "cgroup.subtree_control": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// remove removes a group and those below it. Whoever was in them has ended, or is
// about to.
func remove(t testing.TB, dir string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		entries, _ := os.ReadDir(dir) // it may be gone
		for _, e := range entries {
			if e.IsDir() {
				remove(t, filepath.Join(dir, e.Name()))
			}
		}
		err := syscall.Rmdir(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			members, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			t.Errorf("the group of the test stays: %v; in it are %q", err, members)
			return
		}
		time.Sleep(5 * time.Millisecond) // nothing tells when a group is empty for good; see Tree.end
	}
}
