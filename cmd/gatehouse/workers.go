package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newWorkers is the command that lists worker processes, and those beside
// applications.
func newWorkers() *cobra.Command {
	cmd, r := newRemote(
		"workers [flags] [APP]", "List the processes of a running server's applications",
		`List the processes of a running server's applications, of all or of one. Workers:
their state, age, how many requests they have answered, their memory, and the
request that each is at. Processes that run beside an application: their state, age,
how often they were started again, when they start next, and how the last run ended.`,
		`  gatehouse workers
  gatehouse workers /shop`,
		oneAppOrAll,
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			var apps []control.App
			if err := c.Get(cmd.Context(), "apps", aboutApp(args), &apps); err != nil {
				return err
			}
			all := staffOf(apps)
			if r.json {
				return printJSON(cmd.OutOrStdout(), all)
			}
			return all.write(cmd.OutOrStdout(), time.Now())
		},
	)
	cmd.ValidArgsFunction = completeApps(r)
	return cmd
}

// staff is what works for applications.
type staff struct {
	Workers   []control.AppWorker `json:"workers"`
	Processes []appProcess        `json:"processes"`
}

// appProcess is a process beside an application, with the application's name.
type appProcess struct {
	App string `json:"app"`
	control.Process
}

// staffOf is what works for these applications. The lists are not nil.
func staffOf(apps []control.App) *staff {
	s := &staff{Workers: []control.AppWorker{}, Processes: []appProcess{}}
	for i := range apps {
		a := &apps[i]
		for _, w := range a.Workers {
			s.Workers = append(s.Workers, control.AppWorker{App: a.Name, Worker: w})
		}
		for _, p := range a.Processes {
			s.Processes = append(s.Processes, appProcess{a.Name, p})
		}
	}
	return s
}

func (s *staff) write(w io.Writer, now time.Time) error {
	t := newTable("APP", ">WORKER", ">PID", "STATE", ">AGE", ">SERVED", ">MEMORY", "AT")
	for i := range s.Workers {
		k := &s.Workers[i]
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
		t.add(k.App, fmt.Sprint(k.Number), fmt.Sprint(k.PID), state, wording.Seconds(now.Sub(k.Born)), fmt.Sprint(k.Served), memory(k.Memory), at.String())
	}
	if err := t.write(w); err != nil {
		return err
	}
	if len(s.Workers) > 0 && len(s.Processes) > 0 {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	t = newTable("APP", "PROCESS", ">PID", "STATE", ">AGE", ">RESTARTS", "NEXT", "LAST EXIT")
	for i := range s.Processes {
		p := &s.Processes[i]
		age := "-"
		if p.PID != 0 {
			age = wording.Seconds(now.Sub(p.Since))
		}
		t.add(p.App, p.Name, number(p.PID), p.State, age, restarts(&p.Process), nextRun(&p.Process, now), cmp.Or(p.LastExit, "-"))
	}
	return t.write(w)
}

// restarts is how often a process was started again, in a column. What runs at its
// times is not restarted.
func restarts(p *control.Process) string {
	if p.Cron != "" {
		return "-"
	}
	return fmt.Sprint(p.Restarts)
}

// nextRun is when a process starts next, in a column.
func nextRun(p *control.Process, now time.Time) string {
	if p.Next.IsZero() {
		return "-"
	}
	return "in " + wording.Roughly(p.Next.Sub(now))
}
