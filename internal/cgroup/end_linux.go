package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endTime bounds how long the processes of a group may take to end that have been
// killed: one that waits for a disk or a file server ends when that has answered.
const endTime = 5 * time.Second

// Close kills all that is in the group and removes it, and returns when that is
// done. A second call does nothing. An error means that the group is still there.
func (g *Group) Close() error {
	g.closing.Do(func() {
		g.tree.watcher.remove(g.watches)
		if g.dir != nil {
			g.dir.Close()
		}
		if err := g.tree.end(g.path, time.Now().Add(endTime)); err != nil {
			g.err = fmt.Errorf("cgroup: end what is in %s: %w", g.path, err)
		}
	})
	return g.err
}

// end kills what is in a group and removes it; after the deadline it tries no more.
func (t *Tree) end(dir string, deadline time.Time) error {
	if !t.kernels {
		return os.RemoveAll(dir)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		kill(dir)
		// A group can be removed as soon as nobody in it lives any more. Nothing tells
		// that sooner than trying: a notice would have to be waited for as well.
		err := removeAll(dir)
		if err == nil || !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(wait)
	}
}

// kill kills what is in a group and in those below it.
func kill(dir string) {
	if write(dir, "cgroup.kill", "1") == nil {
		return
	}
	// Linux before 5.14: whoever starts others meanwhile is met the next time.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // it has just gone
		}
		members, _ := os.ReadFile(filepath.Join(path, procs)) // likewise
		for member := range strings.FieldsSeq(string(members)) {
			if pid, err := strconv.Atoi(member); err == nil && pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
			}
		}
		return nil
	})
}

// removeAll removes a group with those that an application has made below it. Their
// files are the kernel's, and go with them.
func removeAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && err != syscall.ENOENT {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}
