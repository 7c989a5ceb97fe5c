package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. People write it with a unit: 512, 8KB, 16MB, 1GB.
// Units are powers of 1024.
type Size int64

// The units of sizes.
const (
	KB Size = 1 << 10
	MB Size = 1 << 20
	GB Size = 1 << 30
)

// ParseSize reads a size as people write it: a whole number and a unit, in any
// case, with or without a B or iB at its end.
func ParseSize(s string) (Size, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	digits := strings.TrimRight(text, "KMGIB ")
	unit := Size(1)
	switch strings.TrimSpace(text[len(digits):]) {
	case "", "B":
	case "K", "KB", "KIB":
		unit = KB
	case "M", "MB", "MIB":
		unit = MB
	case "G", "GB", "GIB":
		unit = GB
	default:
		return 0, fmt.Errorf("%q is no size; write a number and KB, MB or GB", s)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no size; write a number and KB, MB or GB", s)
	}
	if n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return Size(n) * unit, nil
}

// String writes s in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{GB, "GB"}, {MB, "MB"}, {KB, "KB"}} {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
