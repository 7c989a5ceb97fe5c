package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// newReference is the hidden command that writes docs/reference.
func newReference() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:    "reference --dir DIR",
		Short:  "Write the reference pages",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return &usageError{err: fmt.Errorf("--dir names the folder to write to")}
			}
			for name, text := range map[string]string{
				"cli.md":                cliReference(cmd.Root()),
				"configuration.md":      config.FileReference(),
				"gatehouse.schema.json": config.JSONSchema(),
				"defaults.md":           config.Reference(),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					return fmt.Errorf("reference: write: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "where to write")
	return cmd
}

// cliReference is docs/reference/cli.md.
func cliReference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(cliPreamble)
	commandReference(&b, root)
	b.WriteString("\n## Names kept for later\n`" + strings.Join(reservedNames(), "`, `") + "`: these are commands of later versions; " +
		"a folder of such a name is written `./NAME`.\n")
	b.WriteString(cliStatuses)
	return b.String()
}

// commandReference describes a command and those below it.
func commandReference(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n```\n%s\n```\n%s\n", cmd.CommandPath(), cmd.UseLine(), firstNonEmpty(cmd.Long, cmd.Short+"."))
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", dedent(cmd.Example))
	}
	var rows []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind := strings.ReplaceAll(f.Value.Type(), "|", `\|`)
		if kind == "bool" {
			kind = ""
		}
		def := ""
		if f.DefValue != "" && f.DefValue != "false" {
			def = "`" + f.DefValue + "`"
		}
		rows = append(rows, fmt.Sprintf("| `--%s` | %s | %s | %s |\n", f.Name, kind, def, strings.ReplaceAll(f.Usage, "|", `\|`)))
	})
	if len(rows) > 0 {
		b.WriteString("\n| flag | takes | default | meaning |\n|---|---|---|---|\n" + strings.Join(rows, ""))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			commandReference(b, c)
		}
	}
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// dedent takes the margin of help texts away.
func dedent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

const cliPreamble = `# Command line

This page is written by the program (` + "`go generate ./cmd/gatehouse`" + `) and tested to be current.
What the flags' defaults are for: [defaults.md](defaults.md). Flags of ` + "`run`" + ` as keys of a file: [configuration.md](configuration.md).
`

const cliStatuses = `
## Exit statuses
| status | meaning |
|---|---|
| 0 | done, also after a signal that asked for the end |
| 1 | understood, but it could not be done |
| 2 | not understood: wrong usage |
| 3 | a command for a running server: none runs, or it is not clear which is meant |

## Signals
| signal | effect |
|---|---|
| SIGINT (Ctrl-C) | a folder: the end, at once; an application: its requests get ` + "`--interrupt-drain`" + ` to finish |
| SIGTERM | requests get ` + "`--drain`" + ` to finish |
| either, a second time | the end, at once |
| SIGHUP | new log files; the configuration file is read again, and applications load their code, beside the old, which goes on if that fails |
| SIGUSR1 | new log files |
| SIGQUIT | an application: what all threads of its workers are doing, into the log; nothing else changes |
`
