package testserver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// openFiles are the descriptors of this process that a test can leak, named by
// number and target. The runtime's own (epoll, eventfd, cgroup files) stay out.
func openFiles() map[string]bool {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	found := map[string]bool{}
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil { // the descriptor ReadDir itself used
			continue
		}
		if strings.HasPrefix(target, "anon_inode:[event") || strings.HasPrefix(target, "/sys/") ||
			strings.HasPrefix(target, "/proc/") || target == "/dev/null" || target == "/dev/urandom" {
			continue
		}
		found[e.Name()+" "+target] = true
	}
	return found
}

// childProcesses are the direct children of this process, zombies included, by
// pid and name.
func childProcesses() map[string]bool {
	found := map[string]bool{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	self := strconv.Itoa(os.Getpid())
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// pid (name) state ppid …; the name may hold spaces and parentheses.
		end := strings.LastIndexByte(string(stat), ')')
		if end < 0 {
			continue
		}
		if rest := strings.Fields(string(stat[end+1:])); len(rest) > 1 && rest[1] == self {
			found[string(stat[:end+1])] = true
		}
	}
	return found
}
