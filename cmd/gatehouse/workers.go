package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newWorkers is the command that lists worker processes.
func newWorkers() *cobra.Command {
	cmd, r := newRemote(
		"workers [flags] [APP]", "List the worker processes of a running server",
		`List the worker processes of a running server, of all applications or of one: their
state, age, how many requests they have answered, their memory, and the request
that each is at.`,
		`  gatehouse workers
  gatehouse workers /shop`,
		oneAppOrAll,
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			return show(cmd, r, c, "workers", aboutApp(args), writeWorkers)
		},
	)
	cmd.ValidArgsFunction = completeApps(r)
	return cmd
}

func writeWorkers(w io.Writer, workers *[]control.AppWorker) error {
	t := newTable("APP", ">WORKER", ">PID", "STATE", ">AGE", ">SERVED", ">MEMORY", "AT")
	for i := range *workers {
		k := &(*workers)[i]
		state := k.State
		if k.Reason != "" {
			state += ", " + k.Reason
		}
		if k.Old {
			state += ", old code"
		}
		var at strings.Builder
		for n, q := range k.Requests {
			if n > 0 {
				at.WriteString("; ")
			}
			fmt.Fprintf(&at, "%s %s for %s", q.Method, q.Path, latency(q.Age.Duration()))
		}
		t.add(k.App, fmt.Sprint(k.Number), fmt.Sprint(k.PID), state, wording.Seconds(time.Since(k.Born)), fmt.Sprint(k.Served), memory(k.Memory), at.String())
	}
	return t.write(w)
}
