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
	"syscall"
	"unsafe"
)

// own is the folder of the group that this process is in.
func own() (string, error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	return locate(string(groups), string(mounts))
}

// locate finds out where a process's group of version 2 lies, from what
// /proc/self/cgroup and mountinfo say (proc_pid_mountinfo(5)). The file system may
// be mounted anywhere, and only a part of it.
func locate(groups, mounts string) (string, error) {
	path := ""
	for line := range strings.Lines(groups) {
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			path = rest
		}
	}
	if !strings.HasPrefix(path, "/") || slices.Contains(strings.Split(path, "/"), "..") {
		return "", errors.New("there is no cgroup v2")
	}
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if len(fields) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		root, point := unescape(fields[3]), unescape(fields[4])
		rel, err := filepath.Rel(root, path)
		if err == nil && filepath.IsLocal(rel) {
			return filepath.Join(point, rel), nil
		}
	}
	return "", errors.New("cgroup v2 is not mounted")
}

// unescape reads a path as mountinfo writes it.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// delegated returns an error unless a group is this process's own to arrange.
//
// Nobody marks all groups for which that is so. Systemd marks those of services
// with Delegate=yes; what a user may arrange below what he may not was given to him;
// and elsewhere a group in which nobody else is, and which is
// not the whole machine's, is that of a container.
func delegated(dir string) error {
	kind, err := os.ReadFile(filepath.Join(dir, "cgroup.type"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the server is in the group of the whole machine")
	case err != nil:
		return err
	case strings.TrimSpace(string(kind)) != "domain":
		return fmt.Errorf("the server is in a group of type %s", strings.TrimSpace(string(kind)))
	}
	for _, name := range []string{".", procs, subtree} {
		const writable = 2 // W_OK
		if err := syscall.Access(filepath.Join(dir, name), writable); err != nil {
			return fmt.Errorf("the server may not change %s: %w", filepath.Join(dir, name), err)
		}
	}
	members, err := os.ReadFile(filepath.Join(dir, procs))
	if err != nil {
		return err
	}
	if all := strings.Fields(string(members)); len(all) != 1 || all[0] != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("others than the server are in %s as well", dir)
	}
	if managed() && !marked(dir) && !isBorder(dir) {
		return fmt.Errorf("systemd has not delegated %s", dir)
	}
	return nil
}

// managed reports whether systemd arranges the groups of the machine (sd_booted(3)).
func managed() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// isBorder reports whether a group is the first one that this process may arrange:
// somebody has given it away. Nobody but root sees the mark of systemd before 251.
func isBorder(dir string) bool {
	const writable = 2 // W_OK
	return os.Geteuid() != 0 && syscall.Access(filepath.Dir(dir), writable) != nil
}

// marked reports whether systemd says that a group has been delegated.
func marked(dir string) bool {
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		value := make([]byte, 1)
		if n, err := syscall.Getxattr(dir, name, value); err == nil && n == 1 && value[0] == '1' {
			return true
		}
	}
	return false
}

// canBeBorn reports whether processes can be started in a group: the kernel knows
// how (5.7), and no filter of system calls has taken that away, as systemd's
// RestrictNamespaces= does. It asks for what no kernel does, and looks at the
// reason: arguments that are too long, or that are wrong.
func canBeBorn() bool {
	const sysClone3 = 435
	args := [11]uint64{4: ^uint64(0), 10: 1} // exit_signal, which is no signal; cgroup
	_, _, errno := syscall.RawSyscall(sysClone3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	return errno == syscall.EINVAL
}
