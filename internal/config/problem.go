package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FileError is all that is wrong with a configuration file.
type FileError struct {
	// Problems are in the order of the file, one at least.
	Problems []Problem
}

// Problem is one thing that is wrong, and where.
type Problem struct {
	File         string // "" for the command line
	Line, Column int    // from 1
	What         string
}

// String is the problem as one line. What the command line says has no place.
func (p Problem) String() string {
	if p.File == "" {
		return p.What
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.What)
}

// maxProblems is how many lines Error has: whoever mends a dozen tries again.
const maxProblems = 12

// Error is one line for each problem, for the first dozen of them.
func (e *FileError) Error() string {
	var lines []string
	for i, p := range e.Problems {
		if i == maxProblems {
			lines = append(lines, p.File+": and more")
			break
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// sort puts the problems in the order of the file: a table that is written in
// two places is read as one.
func (e *FileError) sort() {
	slices.SortStableFunc(e.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

var _ error = (*FileError)(nil)
