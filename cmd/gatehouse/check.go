package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// newCheck is the command that tries a configuration.
func newCheck() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check [flags] [TARGET]",
		Short: "Check a project's configuration without running it",
		Long: `Check what 'gatehouse run TARGET' would use: every key and value of the
configuration file, the files that it names, the application's module and the
interpreter. Nothing is started and no code of the project runs.`,
		Example: `  gatehouse check                    check what is in this folder
  gatehouse check --config live.toml ~/shop`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			project := daemon.Project{ConfigFile: file}
			switch len(args) {
			case 0:
			case 1:
				project.Target = args[0]
			default:
				return &usageError{err: fmt.Errorf("%q is one argument too many", args[1])}
			}
			return daemon.Check(project, cmd.OutOrStdout())
		},
	}
	bindConfig(cmd, &file)
	bindHelp(cmd)
	return cmd
}
