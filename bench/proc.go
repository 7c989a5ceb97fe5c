//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// procStat is what is wanted of /proc/PID/stat.
type procStat struct {
	parent int
	cpu    time.Duration // user and system time, children already reaped included
}

// tick is the kernel's USER_HZ, 100 on every Linux that runs Go.
const tick = time.Second / 100

func readStat(pid int) (procStat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	// The command's name stands in parentheses and may itself hold any byte.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var s procStat
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return procStat{}, err
	}
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return procStat{}, err
		}
		s.cpu += time.Duration(ticks) * tick
	}
	return s, nil
}

// family returns roots and all their descendants.
func family(roots []int) (map[int]procStat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	table := map[int]procStat{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		if gone(err) {
			continue // ended while we looked
		}
		if err != nil {
			return nil, err
		}
		table[pid] = s
	}
	members := map[int]procStat{}
	for _, pid := range roots {
		s, ok := table[pid]
		if !ok {
			return nil, fmt.Errorf("process %d has ended", pid)
		}
		members[pid] = s
	}
	for grown := true; grown; {
		grown = false
		for pid, s := range table {
			_, child := members[s.parent]
			if _, known := members[pid]; child && !known {
				members[pid], grown = s, true
			}
		}
	}
	return members, nil
}

// gone tells that a process ended before its file in /proc was read.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// familyCPU adds up the CPU time of roots and all their descendants.
func familyCPU(roots []int) (time.Duration, error) {
	members, err := family(roots)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, s := range members {
		sum += s.cpu
	}
	return sum, nil
}

// residentBytes reads a process's resident memory.
func residentBytes(pid int) (int64, error) { return statusBytes(pid, "VmRSS:") }

// peakBytes reads the most memory that was resident in a process since it began
// or since resetPeak.
func peakBytes(pid int) (int64, error) { return statusBytes(pid, "VmHWM:") }

// resetPeak makes what is resident now the peak.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

func statusBytes(pid int, name string) (int64, error) {
	text, err := statusField(pid, name)
	if err != nil {
		return 0, err
	}
	kb, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	return kb << 10, err
}

// statusField reads a line of /proc/PID/status; name ends with a colon.
func statusField(pid int, name string) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	return "", fmt.Errorf("process %d has no %s", pid, strings.TrimSuffix(name, ":"))
}
