// Package spelling finds what somebody meant who made a slip in typing a name.
package spelling

import "strings"

// Nearest is the name that word is most likely a slip of, "" if it is like none:
// at most two letters wrong, and never half of the word.
func Nearest(word string, names []string) string {
	best, found := 3, ""
	for _, name := range names {
		d := distance(strings.ToLower(word), name)
		if d < best && 2*d < len(name) {
			best, found = d, name
		}
	}
	return found
}

// distance is how many letters must be inserted, removed, replaced or swapped
// with their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
