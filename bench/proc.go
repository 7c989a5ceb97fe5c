//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
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

// familyCPU adds up the CPU time of roots and all their descendants.
func familyCPU(roots []int) (time.Duration, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	table := map[int]procStat{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		if errors.Is(err, os.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
			continue // ended while we looked
		}
		if err != nil {
			return 0, err
		}
		table[pid] = s
	}
	family := map[int]bool{}
	for _, pid := range roots {
		if _, ok := table[pid]; !ok {
			return 0, fmt.Errorf("process %d has ended", pid)
		}
		family[pid] = true
	}
	for grown := true; grown; {
		grown = false
		for pid, s := range table {
			if family[s.parent] && !family[pid] {
				family[pid], grown = true, true
			}
		}
	}
	var sum time.Duration
	for pid := range family {
		sum += table[pid].cpu
	}
	return sum, nil
}

// residentBytes reads a process's resident memory (VmRSS).
func residentBytes(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}
