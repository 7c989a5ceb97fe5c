package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newApps is the command that lists applications.
func newApps() *cobra.Command {
	cmd, r := newRemote(
		"apps [flags] [APP]", "List the applications of a running server",
		`List the applications of a running server: what each is, its state, its workers,
requests that are being answered, requests a second and the 99th percentile of
their latency in the last minute. Below stands what has failed.`,
		`  gatehouse apps
  gatehouse apps /shop --json        all that is known of one`,
		oneAppOrAll,
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			return show(cmd, r, c, "apps", aboutApp(args), writeApps)
		},
	)
	cmd.ValidArgsFunction = completeApps(r)
	return cmd
}

// userColumn is where the user stands, behind the entry.
const userColumn = 3

func writeApps(w io.Writer, apps *[]control.App) error {
	heading := []string{"APP", "WHAT", "ENTRY", "STATE", ">WORKERS", ">REQUESTS", ">PER SECOND", ">P99"}
	// Whom they run as is of interest where that is more than one.
	users := slices.ContainsFunc(*apps, func(a control.App) bool { return a.User != "" })
	if users {
		heading = slices.Insert(heading, userColumn, "USER")
	}
	t := newTable(heading...)
	for i := range *apps {
		a := &(*apps)[i]
		cells := []string{
			a.Name, cmp.Or(a.About, "-"), cmp.Or(a.Entry, "-"), stateOf(a), number(len(a.Workers)), number(a.Traffic.InFlight), rate(a.Traffic.Rate), percentile(a, a.Traffic.P99),
		}
		if users {
			cells = slices.Insert(cells, userColumn, cmp.Or(a.User, "-"))
		}
		t.add(cells...)
	}
	if err := t.write(w); err != nil {
		return err
	}
	var l labelled
	for i := range *apps {
		if a := &(*apps)[i]; a.Failure != nil {
			l.line("failed", "%s", a.Failure.Message)
		}
		for _, p := range (*apps)[i].Processes {
			if p.Failing {
				l.line("failing", "%s: process %s: %s; it is %s", (*apps)[i].Name, p.Name, p.LastExit, p.State)
			}
		}
		for _, text := range (*apps)[i].UnheldLimits {
			l.line("warning", "%s: %s", (*apps)[i].Name, text)
		}
	}
	return l.write(w)
}

// stateOf is the state of an application in words.
func stateOf(a *control.App) string {
	s := a.State
	switch {
	case a.Asleep:
		s = "asleep"
	case a.CrashLoop:
		s += ", crash loop"
	case a.Retired:
		s += ", retired"
	}
	if a.Failure != nil && a.State != "failed" {
		s += ", newest failed"
	}
	if a.Deploying && a.State != "deploying" {
		s += ", " + cmp.Or(a.Step, "deploying")
	}
	if a.Draining > 0 {
		s += ", old one drains"
	}
	return s
}

// number is a count in a column.
func number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// rate is requests a second in a column.
func rate(r float64) string {
	switch {
	case r == 0:
		return "-"
	case r < 100:
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// percentile is a latency of an application in a column.
func percentile(a *control.App, s control.Seconds) string {
	if a.Traffic.Measured == 0 {
		return "-"
	}
	return latency(s.Duration())
}

// latency is a duration in three digits.
func latency(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2fms", ms)
	case ms < 10:
		return fmt.Sprintf("%.1fms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0fms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.1fs", ms/1000)
	}
	return fmt.Sprintf("%.0fs", ms/1000)
}

// memory is a number of bytes in a column.
func memory(n int64) string {
	if n == 0 {
		return "-"
	}
	return wording.Amount(n)
}
