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

// column is one of a table in a frame.
type column struct {
	name  string
	width int // 0 takes what is left
	words bool
	// spare tells which go first where all have no room, the highest; 0 stays.
	spare int
}

// The tables of a frame.
var (
	appColumns = []column{
		{name: "APP"},
		{"STATE", 9, true, 0},
		{"WORK", 4, false, 2},
		{"BUSY", 4, false, 0},
		{"WAIT", 4, false, 3},
		{"REQ/S", 6, false, 0},
		{"P50", 6, false, 5},
		{"P90", 6, false, 4},
		{"P99", 6, false, 0},
		{"ERR", 5, false, 0},
		{"MEMORY", 8, false, 1},
	}
	processColumns = []column{
		{name: "PROCESS"}, {"STATE", 10, true, 0}, {"PID", 7, false, 1}, {"RESTARTS", 8, false, 2}, {"NEXT", 12, false, 0}, {"LAST EXIT", 15, true, 0},
	}
)

// nameWidth is what a table's first column has before others go.
const nameWidth = 12

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
		} else {
			line = strings.TrimRight(line, " ")
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
	add(tableHead(appColumns, width), "\x1b[7m")
	oldest := oldestRequests(apps)
	beside := processesOf(apps)
	room := len(apps)
	if v.rows > 0 {
		room = v.rows - len(lines)
		// Applications come first, then requests.
		oldest = oldest[:roomBelow(len(oldest), v.rows, &room)]
		beside = beside[:roomBelow(len(beside), v.rows, &room)]
		room = max(1, room)
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
			add(fmt.Sprintf("%8s  %s %s", latency(q.Age.Duration()), q.Method, q.Path), requestColour(q.Age.Duration()))
		}
	}
	if len(beside) > 0 {
		add("", "")
		add(tableHead(processColumns, width), "\x1b[7m")
		for i := range beside {
			add(processRow(width, &beside[i], n.at), processColour(&beside[i]))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// roomBelow is how many of n lines are shown below the applications, in a table
// with an empty line and a heading before them; what these take is taken from room.
func roomBelow(n, rows int, room *int) int {
	n = min(n, max(3, rows/3))
	if n == 0 || *room-n-2 < fewest {
		return 0
	}
	*room -= n + 2
	return n
}

// tableHead is the heading of a table.
func tableHead(columns []column, width int) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return tableRow(columns, width, names)
}

// tableRow puts cells below each other, as many as there is room for.
func tableRow(columns []column, width int, cells []string) string {
	first, last := width, 0 // the width of the first; what is left out
	for _, c := range columns[1:] {
		first -= c.width + 1
		last = max(last, c.spare)
	}
	for ; first < nameWidth && last > 0; last-- {
		for _, c := range columns {
			if c.spare == last {
				first += c.width + 1
			}
		}
	}
	first = max(first, 8)
	var b strings.Builder
	for i, text := range cells {
		switch c := columns[i]; {
		case i == 0:
			text = cutTo(text, first)
			b.WriteString(text + strings.Repeat(" ", first-utf8.RuneCountInString(text)))
		case c.spare > last:
		case c.words:
			fmt.Fprintf(&b, " %-*s", c.width, cutTo(text, c.width))
		default:
			fmt.Fprintf(&b, " %*s", c.width, text)
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
	return tableRow(appColumns, width, []string{
		terminal.Line(a.Name), state, number(len(a.Workers)), number(t.InFlight), number(a.Waiting), rate(t.Rate),
		percentile(a, t.P50), percentile(a, t.P90), percentile(a, t.P99), number(int(t.Answers["5xx"] + t.Answers["broken"])), memory(a.Memory()),
	})
}

// processesOf are those beside applications, what fails first.
func processesOf(apps []control.App) []appProcess {
	all := staffOf(apps).Processes
	slices.SortStableFunc(all, func(a, b appProcess) int {
		switch {
		case a.Failing == b.Failing:
			return strings.Compare(a.App, b.App)
		case a.Failing:
			return -1
		}
		return 1
	})
	return all
}

func processRow(width int, p *appProcess, now time.Time) string {
	return tableRow(processColumns, width, []string{
		terminal.Line(p.App + " " + p.Name), p.State, number(p.PID), restarts(&p.Process), nextRun(&p.Process, now), cmp.Or(terminal.Line(p.LastExit), "-"),
	})
}

func processColour(p *appProcess) string {
	if p.Failing {
		return "\x1b[33m" // yellow
	}
	return ""
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
