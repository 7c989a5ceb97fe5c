package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The kernel's files that every group has.
const (
	procs   = "cgroup.procs"
	subtree = "cgroup.subtree_control"
)

// Those that controllers add, in which the kernel counts what has happened.
const (
	memoryEvents = "memory.events"
	pidsEvents   = "pids.events"
)

// leafName is the group that the server moves into: only groups without processes
// hand controllers on to those below them.
const leafName = "server"

// A Tree is the server's own group, below which it makes others. Its methods may be
// called concurrently.
type Tree struct {
	dir     string
	kernels bool     // it is the kernel's, and no folder that stands for one
	held    *os.File // the leaf, locked: whoever else took the tree would end what is in its groups
	has     Controllers
	watcher *watcher
	none    error // why it can make no groups; nil if it can

	mu   sync.Mutex
	made int
}

// Open takes over the group that this process is in, and moves the process into one
// below it. Where there is none to be taken over nothing changes; None then says
// why. The caller calls Close in the end.
func Open() *Tree {
	dir, err := own()
	if err == nil {
		err = delegated(dir)
	}
	if err == nil && !canBeBorn() {
		err = errors.New("processes cannot be started in one here, which RestrictNamespaces= of systemd, for one, prevents")
	}
	var t *Tree
	if err == nil {
		t, err = take(dir)
	}
	if err != nil {
		return &Tree{none: err}
	}
	return t
}

// None says why there are no groups, nil if there are. Those of a nil Tree nobody
// has asked for.
func (t *Tree) None() error {
	if t == nil {
		return ErrNone
	}
	return t.none
}

// take makes a tree of the group that this process is in, and leaves it. Leaving it
// is the last that can fail.
func take(dir string) (*Tree, error) {
	t, err := hold(dir)
	if err != nil {
		return nil, err
	}
	leaf := t.held.Name()
	if err := write(leaf, procs, strconv.Itoa(os.Getpid())); err != nil {
		_ = os.Remove(leaf) // err is what to tell
		_ = t.Close()       // likewise
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	t.arrange()
	return t, nil
}

// At makes a tree of a group in which there are no processes. What a tree before it
// has left there ends. In a folder that is none of the kernel's, for tests, files are
// written as they would be in one, and processes are started without it.
func At(dir string) (*Tree, error) {
	t, err := hold(dir)
	if err != nil {
		return nil, err
	}
	t.arrange()
	return t, nil
}

// hold makes a tree in which there is nothing but its leaf. Nobody else may have one
// of that group at the same time; the lock goes with the process. What others can
// open they can lock, so nobody else can open the leaf.
func hold(dir string) (*Tree, error) {
	var system syscall.Statfs_t
	if err := syscall.Statfs(dir, &system); err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	w, err := newWatcher()
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	held, err := lock(filepath.Join(dir, leafName))
	if err != nil {
		_ = w.close() // err is what to tell
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	const magic = 0x63677270 // CGROUP2_SUPER_MAGIC
	return &Tree{dir: dir, kernels: system.Type == magic, held: held, watcher: w}, nil
}

// lock makes the leaf, if it is not there, and takes it.
func lock(leaf string) (*os.File, error) {
	const mode = 0o700
	if err := os.Mkdir(leaf, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := os.Chmod(leaf, mode); err != nil { // that of a server before this one
		return nil, err
	}
	f, err := os.Open(leaf)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another server has %s: %w", leaf, err)
	}
	return f, nil
}

// arrange clears the tree and gets its controllers.
func (t *Tree) arrange() {
	t.sweep()
	t.has = Controllers{Memory: t.hand("memory"), CPU: t.hand("cpu"), Processes: t.hand("pids")}
}

// hand hands a controller on to the groups below, and reports whether they have it.
func (t *Tree) hand(controller string) bool {
	have, err := os.ReadFile(filepath.Join(t.dir, "cgroup.controllers"))
	return err == nil && slices.Contains(strings.Fields(string(have)), controller) && write(t.dir, subtree, "+"+controller) == nil
}

// sweep ends what a server that did not come to its end has left in its groups, and
// removes them. Those that stay all the same are in nobody's way: Make passes them by.
func (t *Tree) sweep() {
	var left []string
	entries, _ := os.ReadDir(t.dir) // what cannot be looked at stays
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			left = append(left, filepath.Join(t.dir, e.Name()))
		}
	}
	if t.kernels {
		for _, dir := range left {
			kill(dir) // all at once, and then wait for each
		}
	}
	deadline := time.Now().Add(endTime)
	for _, dir := range left {
		_ = t.end(dir, deadline)
	}
}

// Give has another user arrange the tree from now on: whom the server becomes.
//
// If that fails, there are no groups.
func (t *Tree) Give(uid, gid int) {
	if t.none != nil {
		return
	}
	for _, name := range []string{".", procs, "cgroup.threads", subtree, leafName, filepath.Join(leafName, procs)} {
		if err := os.Chown(filepath.Join(t.dir, name), uid, gid); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.none = err
		}
	}
}

// Controllers are what the groups of the tree can be held to.
func (t *Tree) Controllers() Controllers {
	if t.None() != nil {
		return Controllers{}
	}
	return t.has
}

// Close gives back what the tree holds; its groups are closed. The process stays
// where it is. Nil does nothing.
func (t *Tree) Close() error {
	if t == nil || t.watcher == nil {
		return nil
	}
	return errors.Join(t.watcher.close(), t.held.Close())
}

// Make makes a group in which nobody is; the name is for people who look at the
// file system. Limits that the tree has no controller for are not looked at. The
// caller closes the group.
func (t *Tree) Make(name string, l Limits) (*Group, error) {
	if err := t.None(); err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	g := &Group{tree: t}
	err := fs.ErrExist
	for errors.Is(err, fs.ErrExist) { // one that sweep could not remove has that number
		g.path = filepath.Join(t.dir, folderName(name, t.next()))
		err = os.Mkdir(g.path, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	if !t.kernels {
		err = errors.Join(write(g.path, memoryEvents, ""), write(g.path, pidsEvents, ""))
	}
	if err == nil {
		err = g.limit(l)
	}
	if err == nil {
		g.dir, err = os.Open(g.path)
	}
	if err != nil {
		_ = g.Close() // err is what to tell
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	return g, nil
}

// next is the number of the next group.
func (t *Tree) next() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	return t.made
}

// A Group is one in which processes are started. Its methods may be called
// concurrently.
type Group struct {
	tree    *Tree
	path    string
	dir     *os.File
	watches []int32
	closing sync.Once
	err     error // of Close
}

func (g *Group) file(name string) string { return filepath.Join(g.path, name) }

// limit writes the limits.
func (g *Group) limit(l Limits) error {
	if has := g.tree.has; has.Memory && l.Memory > 0 {
		if err := write(g.path, "memory.max", strconv.FormatInt(l.Memory, 10)); err != nil {
			return err
		}
		// Or the application would go on in swap, and slow down the machine. Not every
		// kernel counts that. memory.oom.group stays 0: the kernel ends the largest
		// process, mostly a worker, and the others go on.
		_ = write(g.path, "memory.swap.max", "0")
	}
	if g.tree.has.CPU && l.CPU > 0 {
		if err := write(g.path, "cpu.max", cpuMax(l.CPU)); err != nil {
			return err
		}
	}
	if g.tree.has.Processes && l.Processes > 0 {
		return write(g.path, "pids.max", strconv.Itoa(l.Processes))
	}
	return nil
}

// Attach has a process that is started with attr be born in the group.
func (g *Group) Attach(attr *syscall.SysProcAttr) {
	if !g.tree.kernels {
		return
	}
	attr.UseCgroupFD, attr.CgroupFD = true, int(g.dir.Fd())
}

// Heed has f called with what has happened in the group so far, whenever that has
// changed, until the group is closed: in a goroutine that it must not hold up. It is
// called once.
func (g *Group) Heed(f func(Events)) {
	g.watches = g.tree.watcher.add(func() { f(g.Events()) }, g.file(memoryEvents), g.file(pidsEvents))
}

// Events are what has happened in the group so far.
func (g *Group) Events() Events {
	memory, _ := os.ReadFile(g.file(memoryEvents)) // not there without the controller
	pids, _ := os.ReadFile(g.file(pidsEvents))     // likewise
	return Events{Killed: counter(string(memory), "oom_kill"), Refused: counter(string(pids), "max")}
}

// Path is where the group is in the file system.
func (g *Group) Path() string { return g.path }

// write writes into one of a group's files, which the kernel has made.
func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}
