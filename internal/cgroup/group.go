package cgroup

import (
	"errors"
	"strconv"
	"strings"
)

// ErrNone is the reason where nobody has asked for groups, or the system has none.
var ErrNone = errors.New("there are no control groups here")

// Limits bound what is in a group; 0 is no bound.
type Limits struct {
	Memory    int64   // bytes; nothing of it is swapped
	CPU       float64 // cores
	Processes int     // processes and threads
}

// Controllers are what a group can be held to.
type Controllers struct{ Memory, CPU, Processes bool }

// Events count what a group has come to because of its limits.
type Events struct {
	Killed  int // processes that the kernel has ended because there was no memory left
	Refused int // processes and threads that could not be started
}

// period is that in which CPU time is given out, the kernel's default; a share of
// it must not be less than a hundredth.
const period = 100_000 // microseconds

// cpuMax is what a file cpu.max says for so many cores.
func cpuMax(cores float64) string {
	return strconv.FormatInt(max(int64(cores*period), period/100), 10) + " " + strconv.Itoa(period)
}

// prefix is what the names of groups begin with, and of nothing else in a tree.
const prefix = "app-"

// folderName makes a name that a folder of the tree can have: not one of the
// kernel's own files, which all begin with a controller and a dot.
func folderName(name string, number int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, strings.Trim(name, "/"))
	return prefix + clean[:min(len(clean), 64)] + "-" + strconv.Itoa(number)
}

// counter is the number behind a name in a file of names and numbers, 0 if it is
// not there.
func counter(text, name string) int {
	for line := range strings.Lines(text) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), " "); key == name {
			n, _ := strconv.Atoi(value) // no number counts nothing
			return n
		}
	}
	return 0
}
