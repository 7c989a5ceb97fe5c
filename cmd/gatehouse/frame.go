package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/terminal"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// view is how a frame of top is shown.
type view struct {
	columns, rows int // 0: as many as there are
	fancy         bool
	byName        bool
}

// narrowest is the width of a frame where the terminal tells none, and what fits
// into it.
const narrowest = 80

// The columns of a frame, and their widths; the first takes what is left.
var columnsOfTop = []struct {
	name  string
	width int
}{{"APP", 0}, {"STATE", 9}, {"WORK", 4}, {"BUSY", 4}, {"WAIT", 4}, {"REQ/S", 6}, {"P50", 6}, {"P90", 6}, {"P99", 6}, {"ERR", 5}, {"MEMORY", 8}}

// fewest is for how many applications there is room before the first request is
// shown.
const fewest = 4

// frame is what is shown: a line about the server, a line for each application,
// the requests that have been answered the longest.
func frame(n *numbers, v *view) string {
	width := cmp.Or(v.columns, narrowest)
	apps := slices.Clone(n.Apps)
	if !v.byName {
		slices.SortStableFunc(apps, func(a, b control.App) int {
			return cmp.Or(cmp.Compare(b.Traffic.InFlight, a.Traffic.InFlight), cmp.Compare(b.Traffic.Rate, a.Traffic.Rate))
		})
	}
	var total float64
	var memory int64
	inFlight := 0
	for i := range apps {
		total += apps[i].Traffic.Rate
		inFlight += apps[i].Traffic.InFlight
		memory += apps[i].Memory()
	}
	var lines []string
	add := func(line, colour string) {
		line = cutTo(terminal.Line(line), width)
		if v.fancy && colour != "" {
			line = colour + line + "\x1b[0m"
		}
		lines = append(lines, line)
	}
	head := fmt.Sprintf("gatehouse %s   up %s   ", n.Server.Version, wording.Seconds(n.at.Sub(n.Server.Started)))
	dir := []rune(cmp.Or(n.Server.Webapps, n.Server.Dir))
	if over := utf8.RuneCountInString(head) + len(dir) - width; over > 0 && over < len(dir) {
		dir = append([]rune("~"), dir[over+1:]...) // its end tells more
	}
	add(head+string(dir), "\x1b[1m")
	add(fmt.Sprintf("%s   %.1f requests/s   %d in flight   %s + workers %s",
		states(n.Server.Apps), total, inFlight, wording.Amount(n.Server.Memory), wording.Amount(memory)), "")
	add("", "")
	var heading []string
	for _, c := range columnsOfTop {
		heading = append(heading, c.name)
	}
	add(topRow(width, heading), "\x1b[7m")
	oldest := oldestRequests(apps)
	room := len(apps)
	if v.rows > 0 {
		below := min(len(oldest), max(3, v.rows/3)) + 2 // with the empty line and the heading
		if v.rows-len(lines)-below < fewest {
			oldest = nil // applications come first
		}
		if len(oldest) == 0 {
			below = 0
		}
		room = max(1, v.rows-len(lines)-below)
	}
	for i := range apps {
		if i == room-1 && len(apps) > room {
			add(fmt.Sprintf("and %d more", len(apps)-i), "\x1b[2m")
			break
		}
		add(appRow(width, &apps[i]), appColour(&apps[i]))
	}
	if len(oldest) > 0 {
		add("", "")
		add(fmt.Sprintf("%8s  %s", "FOR", "REQUEST"), "\x1b[7m")
		for _, q := range oldest {
			if v.rows > 0 && len(lines) >= v.rows {
				break
			}
			add(fmt.Sprintf("%8s  %s %s", latency(q.Age.Duration()), q.Method, q.Path), requestColour(q.Age.Duration()))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// topRow puts cells below each other.
func topRow(width int, cells []string) string {
	first := width
	for _, c := range columnsOfTop[1:] {
		first -= c.width + 1
	}
	first = max(first, 8)
	var b strings.Builder
	for i, c := range cells {
		switch i {
		case 0:
			c = cutTo(c, first)
			b.WriteString(c + strings.Repeat(" ", first-utf8.RuneCountInString(c)))
		case 1:
			fmt.Fprintf(&b, " %-*s", columnsOfTop[i].width, c)
		default:
			fmt.Fprintf(&b, " %*s", columnsOfTop[i].width, c)
		}
	}
	return b.String()
}

func appRow(width int, a *control.App) string {
	state := a.State
	switch {
	case a.Deploying:
		state = cmp.Or(a.Step, "deploying")
	case a.Asleep:
		state = "asleep"
	}
	t := &a.Traffic
	return topRow(width, []string{
		terminal.Line(a.Name), state, number(len(a.Workers)), number(t.InFlight), number(a.Waiting), rate(t.Rate),
		percentile(a, t.P50), percentile(a, t.P90), percentile(a, t.P99), number(int(t.Answers["5xx"] + t.Answers["broken"])), memory(a.Memory()),
	})
}

// oldestRequests are those of all applications that have been answered the
// longest.
func oldestRequests(apps []control.App) (all []control.Request) {
	for i := range apps {
		all = append(all, apps[i].Traffic.Oldest...)
	}
	slices.SortStableFunc(all, func(a, b control.Request) int { return cmp.Compare(b.Age, a.Age) })
	return all[:min(len(all), 20)]
}

func appColour(a *control.App) string {
	switch {
	case a.State == "failed" || a.CrashLoop:
		return "\x1b[31m" // red
	case a.Failure != nil:
		return "\x1b[33m" // yellow
	case a.State != "running" || a.Asleep:
		return "\x1b[2m" // dim
	}
	return ""
}

// requestColour marks what takes long: a second is when the log tells of it.
func requestColour(age time.Duration) string {
	if age >= time.Second {
		return "\x1b[33m"
	}
	return ""
}

// cutTo is the beginning of a line that fits.
func cutTo(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:max(0, width-1)]) + "~"
}
