package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// reservedNames are the commands that later versions will have. They are taken
// now, so that no script that serves a folder of such a name breaks then.
func reservedNames() []string {
	return []string{
		"apps", "cert", "check", "config", "deploy", "explain", "logs", "manager", "reload", "restart", "retire", "rollback",
		"service", "stacks", "start", "status", "stop", "top", "undeploy", "validate", "workers",
	}
}

// reserved are commands that say that they are not there yet.
func reserved() []*cobra.Command {
	var all []*cobra.Command
	for _, name := range reservedNames() {
		cmd := &cobra.Command{
			Use:                name,
			Hidden:             true,
			DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return &usageError{err: fmt.Errorf("the command %q is not in this version", name), hint: "for a folder of that name write ./" + name}
			},
		}
		cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
			cmd.Printf("The command %q is not in this version. For a folder of that name write ./%s\n", name, name)
		})
		all = append(all, cmd)
	}
	return all
}

// commandNames are all words that root takes for a command.
func commandNames(root *cobra.Command) []string {
	names := []string{"help"}
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nearest is the name that word is most likely a slip of, "" if it is like none:
// at most two letters wrong, and never half of the word.
func nearest(word string, names []string) string {
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
