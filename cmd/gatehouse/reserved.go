package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// reservedNames are the commands that later versions will have. They are taken
// now, so that no script that serves a folder of such a name breaks then.
func reservedNames() []string {
	return []string{
		"cert", "config", "restart", "service", "validate",
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
