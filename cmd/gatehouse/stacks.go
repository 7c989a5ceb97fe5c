package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/terminal"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newStacks is the command that says what an application's Python code is doing.
func newStacks() *cobra.Command {
	cmd, r := newRemote(
		"stacks [flags] APP", "Say what an application's workers are doing, with their Python stacks",
		`Say what all threads of an application's workers are doing: their requests, and
their Python stacks with the innermost call last. Requests are not disturbed.`,
		`  gatehouse stacks /shop`,
		oneApp,
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			return show(cmd, r, c, "stacks", aboutApp(args), writeStacks)
		},
	)
	cmd.ValidArgsFunction = completeApps(r)
	return cmd
}

func writeStacks(w io.Writer, all *[]control.Stacks) error {
	var b strings.Builder
	if len(*all) == 0 {
		b.WriteString("no workers run\n")
	}
	for _, s := range *all {
		head := fmt.Sprintf("worker %d (pid %d)", s.Worker, s.PID)
		for _, q := range s.Requests {
			fmt.Fprintf(&b, "%s  %s\n", head, terminal.Line(fmt.Sprintf(
				"%s %s  request %s  running for %s, waited %s", q.Method, q.Path, q.ID, wording.Seconds(q.Age.Duration()), wording.Seconds(q.Waited.Duration()),
			)))
		}
		if len(s.Requests) == 0 {
			fmt.Fprintf(&b, "%s  waits for a request\n", head)
		}
		for line := range strings.Lines(cmp.Or(s.Text, "(the worker did not tell)")) {
			fmt.Fprintf(&b, "  %s\n", terminal.Printable(strings.TrimRight(line, "\n")))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
