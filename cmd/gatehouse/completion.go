package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newCompletion is the command that writes scripts for shells.
func newCompletion() *cobra.Command {
	shells := []cobra.Completion{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a completion script for a shell",
		Long: `Print a script that lets a shell complete commands, flags and their values.
It takes effect in shells that are started after it was installed; bash needs
the package bash-completion for it.`,
		Example: `  gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse
  gatehouse completion zsh > "${fpath[1]}/_gatehouse"
  gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish`,
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{err: fmt.Errorf("which shell? One of %s", strings.Join(shells, ", "))}
			}
			out := cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(out, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(out)
			case "fish":
				return cmd.Root().GenFishCompletion(out, true)
			}
			return &usageError{err: fmt.Errorf("there is no script for %q; there is one for %s", args[0], strings.Join(shells, ", "))}
		},
	}
}
