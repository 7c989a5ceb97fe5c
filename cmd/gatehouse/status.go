package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newStatus is the command that says what a running server does.
func newStatus() *cobra.Command {
	cmd, _ := newRemote(
		"status [flags]", "Say what a running server serves, and how it is",
		`Say what the server that runs for this folder serves, and how it is.

The server is the one of the folder that you are in, or the only one that you have
started; --control names another one's socket.`,
		`  gatehouse status
  gatehouse status --json            for programs`,
		noArguments,
		func(cmd *cobra.Command, r *remote, c *control.Client, _ []string) error {
			return show(cmd, r, c, "status", nil, writeStatus)
		},
	)
	return cmd
}

func writeStatus(w io.Writer, s *control.Server) error {
	var l labelled
	memory := ""
	if s.Memory > 0 {
		memory = ", " + wording.Amount(s.Memory) + " without workers"
	}
	l.line("server", "gatehouse %s, process %d of %s, for %s%s", s.Version, s.PID, s.User, wording.Seconds(time.Since(s.Started)), memory)
	label := "serving"
	for _, url := range s.Listen {
		l.line(label, "%s", url)
		label = ""
	}
	if s.Webapps == "" {
		l.line("project", "%s: %s", s.Dir, states(s.Apps))
	} else {
		n, routed := -s.Routed, ""
		for _, count := range s.Apps {
			n += count
		}
		if s.Routed > 0 {
			routed = fmt.Sprintf(", %d of sites", s.Routed)
		}
		l.line("webapps", "%s in %s%s: %s", wording.Count(n, "application"), s.Webapps, routed, cmp.Or(states(s.Apps), "none"))
	}
	if len(s.Processes) > 0 {
		l.line("processes", "%s", states(s.Processes))
	}
	if s.File != "" {
		l.line("file", "%s", s.File)
	}
	for _, text := range s.Warnings {
		l.line("warning", "%s", text)
	}
	for _, p := range s.Problems {
		l.line("warning", "%s is no application: %s", p.Entry, p.Error)
	}
	return l.write(w)
}

// states are how many applications are in which state, the many first.
func states(apps map[string]int) string {
	names := slices.SortedFunc(maps.Keys(apps), func(a, b string) int { return cmp.Or(cmp.Compare(apps[b], apps[a]), strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", apps[name], name)
	}
	return strings.Join(names, ", ")
}
