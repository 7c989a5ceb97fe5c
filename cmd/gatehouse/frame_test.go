package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed-07905ac1/gatehouse/internal/control"
)

// busyServer is a server with many applications, of which the later have more to
// do.
func busyServer(apps int) *numbers {
	n := &numbers{at: time.Unix(3600, 0), Server: control.Server{Version: "1", Started: time.Unix(0, 0), Dir: "/srv/" + strings.Repeat("long/", 20) + "end"}}
	for i := range apps {
		a := control.App{Name: fmt.Sprintf("/app%02d", i), State: "running"}
		a.Traffic.Rate, a.Traffic.Measured, a.Traffic.P99 = float64(i), 1, 0.0123
		if i == apps-1 {
			a.Traffic.InFlight = 1
			a.Traffic.Oldest = []control.Request{{Method: "GET", Path: "/a\x1b[2J\nb" + strings.Repeat("x", 200), Age: 75}}
		}
		n.Apps = append(n.Apps, a)
	}
	return n
}

// TestFrame looks at frames of several sizes: none is wider or higher than its
// terminal, and what has most to do comes first.
func TestFrame(t *testing.T) {
	for _, tt := range []struct {
		name          string
		view          view
		apps          int
		first, has    string
		lines, oldest int
	}{
		{"as long as it is", view{}, 50, "/app49", "/app00", 4 + 50 + 3, 1},
		{"80 by 24", view{columns: 80, rows: 24}, 50, "/app49", "and 34 more", 24, 1},
		{"by name", view{columns: 80, rows: 24, byName: true}, 50, "/app00", "/app01", 24, 1},
		{"few", view{columns: 80, rows: 24}, 3, "/app02", "/app00", 4 + 3 + 3, 1},
		{"small", view{columns: 60, rows: 8}, 50, "/app49", "and 47 more", 8, 0},
		{"tiny", view{columns: 5, rows: 1}, 50, "", "", 5, 0},
		{"nothing runs", view{columns: 80, rows: 24}, 0, "", "APP", 4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := frame(busyServer(tt.apps), &tt.view)
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if len(lines) != tt.lines || !strings.Contains(text, tt.has) || strings.Count(text, "GET /a") != tt.oldest {
				t.Errorf("%d lines, want %d with %q and %d requests:\n%s", len(lines), tt.lines, tt.has, tt.oldest, text)
			}
			if tt.first != "" && !strings.HasPrefix(lines[4], tt.first) {
				t.Errorf("%q comes first, want %s", lines[4], tt.first)
			}
			for _, l := range lines {
				if w := utf8.RuneCountInString(l); tt.view.columns > 0 && w > tt.view.columns || strings.ContainsAny(l, "\x1b\r") {
					t.Errorf("a line of %d columns: %q", w, l)
				}
			}
		})
	}
}

// TestFrameNarrow: where there is no room for all columns, what matters less goes,
// and no cell is cut but names.
func TestFrameNarrow(t *testing.T) {
	n := busyServer(1)
	n.Apps[0].Name = "/reports/2026"
	for columns, want := range map[int]string{
		80: "APP          STATE     WORK BUSY WAIT  REQ/S    P50    P90    P99   ERR   MEMORY",
		72: "APP                STATE     WORK BUSY WAIT  REQ/S    P99   ERR   MEMORY",
		60: "APP              STATE     BUSY  REQ/S    P99   ERR   MEMORY",
		40: "APP      STATE     BUSY  REQ/S    P99   ERR",
	} {
		lines := strings.Split(frame(n, &view{columns: columns}), "\n")
		if want = cutTo(want, columns); lines[3] != want {
			t.Errorf("%d columns have\n%s\nwant\n%s", columns, lines[3], want)
		}
		if utf8.RuneCountInString(lines[4]) != utf8.RuneCountInString(want) {
			t.Errorf("%d columns: the row %q is not below its heading", columns, lines[4])
		}
	}
}

// TestFrameProcesses: what runs beside applications stands below, what fails first,
// and only where applications leave room.
func TestFrameProcesses(t *testing.T) {
	n := busyServer(5)
	n.Apps[1].Processes = []control.Process{{Name: "mails", State: "running", PID: 4711, Restarts: 2}}
	n.Apps[3].Processes = []control.Process{
		{Name: "cleanup", Cron: "*/5 * * * *", State: "waiting", Next: n.at.Add(90 * time.Second), LastExit: "exit status 1", Failing: true},
	}
	text := frame(n, &view{columns: 80, rows: 24})
	want := `PROCESS                 STATE          PID RESTARTS         NEXT LAST EXIT
/app03 cleanup          waiting          -        -  in 1 min exit status 1
/app01 mails            running       4711        2            - -
`
	if got := text[strings.Index(text, "PROCESS"):]; fold(got) != fold(want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("%q is too long", line)
		}
	}
	if text := frame(n, &view{columns: 80, rows: 12}); strings.Contains(text, "PROCESS") || !strings.Contains(text, "/app00") {
		t.Errorf("processes take the place of applications:\n%s", text)
	}
}

// fold makes one space of several.
func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestLatency(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00ms", 120 * time.Microsecond: "0.12ms", 3240 * time.Microsecond: "3.2ms", 250 * time.Millisecond: "250ms",
		1500 * time.Millisecond: "1.5s", 75 * time.Second: "75s",
	} {
		if got := latency(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestStateOf(t *testing.T) {
	for want, a := range map[string]control.App{
		"running":                 {State: "running"},
		"asleep":                  {State: "running", Asleep: true},
		"running, retired":        {State: "running", Retired: true},
		"running, crash loop":     {State: "running", CrashLoop: true},
		"failed":                  {State: "failed", Failure: &control.Error{}},
		"running, newest failed":  {State: "running", Failure: &control.Error{}},
		"running, unpacking":      {State: "running", Deploying: true, Step: "unpacking"},
		"deploying":               {State: "deploying", Deploying: true, Step: "unpacking"},
		"running, old one drains": {State: "running", Draining: 1},
	} {
		if got := stateOf(&a); got != want {
			t.Errorf("%+v is %q, want %q", a, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	table := newTable("NAME", ">N", "WHAT")
	if err := table.write(&b); err != nil || b.Len() > 0 {
		t.Errorf("a table of nothing is %q, %v", &b, err)
	}
	table.add("/é", "1", "a\x1b[2J\nb")
	table.add("/long", "12345", "")
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "NAME       N  WHAT\n/é         1  a?[2J b\n/long  12345\n"; b.String() != want {
		t.Errorf("%q, want %q", &b, want)
	}
}

// TestProgressLines is for who has no terminal.
func TestProgressLines(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, false)
	p.bar("uploading", 1, 1000)
	p.bar("uploading", 1000, 1000)
	p.step("unpacking")
	p.step(control.StepDraining)
	p.end()
	if want := "uploading 1.0 kB\nunpacking\ndraining\n"; b.String() != want {
		t.Errorf("%q, want %q", &b, want)
	}
	b.Reset()
	p = newProgress(&b, true)
	p.bar("uploading", 0, 0)
	p.step("unpacking")
	p.end()
	if b.Len() > 0 {
		t.Errorf("who wants JSON gets %q", &b)
	}
}
