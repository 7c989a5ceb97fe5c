package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// newExplain is the command that says what answers a URL.
func newExplain() *cobra.Command {
	var file, method string
	cmd := &cobra.Command{
		Use:   "explain [flags] URL [FOLDER]",
		Short: "Say which route of the configuration answers a URL, and why",
		Long: `Say which site and which route of the configuration answer a URL, what they
answer with, and why no other does. A path alone is for the site that answers for
hosts that no other site has. Nothing is started; the configuration is that of
FOLDER, the current one if absent.`,
		Example: `  gatehouse explain http://example.org/api/users
  gatehouse explain --method POST /form ~/site`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			project := daemon.Project{ConfigFile: file}
			switch len(args) {
			case 0:
				return &usageError{err: fmt.Errorf("name the URL to explain")}
			case 1:
			case 2:
				project.Target = args[1]
			default:
				return &usageError{err: fmt.Errorf("%q is one argument too many", args[2])}
			}
			return daemon.ExplainURL(project, daemon.Question{URL: args[0], Method: method}, cmd.OutOrStdout())
		},
	}
	bindConfig(cmd, &file)
	cmd.Flags().Var((*methodValue)(&method), "method", "the method of the request (default: GET)")
	bindHelp(cmd)
	return cmd
}

// methodValue is a method as a flag has it.
type methodValue string

// String implements pflag.Value.
func (m *methodValue) String() string { return string(*m) }

// Set implements pflag.Value.
func (m *methodValue) Set(text string) error { *m = methodValue(text); return nil }

// Type implements pflag.Value.
func (m *methodValue) Type() string { return "METHOD" }
