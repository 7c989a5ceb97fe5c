package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// newLogs is the command that prints a running server's log.
func newLogs() *cobra.Command {
	var follow bool
	var last int
	cmd, r := newRemote(
		"logs [flags] [APP]", "Print the log of a running server, or of one of its applications",
		`Print the latest records of a running server's log, or those of one application:
what it has printed, its tracebacks, its deployments. The server keeps some hundred
records of each. Requests are in the access log and not here.`,
		`  gatehouse logs /shop
  gatehouse logs -f                  and all that follows, until Ctrl-C`,
		oneAppOrAll,
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			query := url.Values{"last": {strconv.Itoa(last)}}
			if len(args) > 0 {
				query.Set("app", args[0])
			}
			if follow {
				query.Set("follow", "1")
			}
			print := printLine(cmd.OutOrStdout(), r.json)
			if err := control.Lines(cmd.Context(), c, http.MethodGet, "logs", query, nil, print); err != nil {
				return err
			}
			if follow {
				return control.ErrEnded
			}
			return nil
		},
	)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is logged from now on")
	cmd.Flags().IntVar(&last, "last", 100, "how many records to begin with")
	cmd.ValidArgsFunction = completeApps(r)
	return cmd
}

// printLine prints records as the server does for people, or as JSON, a line each.
func printLine(w io.Writer, asJSON bool) func(*control.LogLine) error {
	handler, encoder := daemon.ForPeople(w), json.NewEncoder(w)
	return func(l *control.LogLine) error {
		if asJSON {
			if err := encoder.Encode(l); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		}
		if l.Lost {
			if _, err := fmt.Fprintln(w, "(there was more, which the server does not keep)"); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
		var level slog.Level
		_ = level.UnmarshalText([]byte(l.Level)) // one of a later version is told as it were INFO
		record := slog.NewRecord(l.Time.Local(), level, l.Message, 0)
		if l.App != "" {
			record.AddAttrs(slog.String("app", l.App))
		}
		for _, a := range l.Attrs {
			record.AddAttrs(slog.String(a.Key, a.Value))
		}
		if err := handler.Handle(context.Background(), record); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		return nil
	}
}
