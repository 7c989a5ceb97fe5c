package cron_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, wherever they run

	"github.com/seed-07905ac1/gatehouse/internal/cron"
)

const layout = "2006-01-02 15:04"

// TestNext follows schedules.
func TestNext(t *testing.T) {
	for _, tt := range []struct{ name, cron, zone, after, want string }{
		{"every minute", "* * * * *", "UTC", "2026-11-24 10:00", "2026-11-24 10:01 | 2026-11-24 10:02"},
		{"a step", "*/5 * * * *", "UTC", "2026-11-24 10:57", "2026-11-24 11:00 | 2026-11-24 11:05"},
		{"a step in a range", "10-30/10 * * * *", "UTC", "2026-11-24 10:30", "2026-11-24 11:10 | 2026-11-24 11:20 | 2026-11-24 11:30"},
		{"a list", "5,1,3-4 0 * * *", "UTC", "2026-11-24 00:01", "2026-11-24 00:03 | 2026-11-24 00:04 | 2026-11-24 00:05 | 2026-11-25 00:01"},
		{"over the year", "0 0 1 1 *", "UTC", "2026-01-01 00:00", "2027-01-01 00:00"},
		{"names", "30 6 * JAN mon-wed", "UTC", "2026-11-24 10:00", "2027-01-04 06:30 | 2027-01-05 06:30 | 2027-01-06 06:30 | 2027-01-11 06:30"},
		{"Sunday is 7", "0 12 * * 7", "UTC", "2026-11-24 10:00", "2026-11-29 12:00"},
		{"Sunday is 0", "0 12 * * 0", "UTC", "2026-11-24 10:00", "2026-11-29 12:00"},
		{"the end of the week", "0 12 * * 5-7", "UTC", "2026-11-27 12:00", "2026-11-28 12:00 | 2026-11-29 12:00 | 2026-12-04 12:00"},
		{"either day", "0 0 13 * fri", "UTC", "2026-11-24 10:00", "2026-11-27 00:00 | 2026-12-04 00:00 | 2026-12-11 00:00 | 2026-12-13 00:00"},
		{"both days, with a star", "0 0 */10 * fri", "UTC", "2026-11-24 10:00", "2026-12-11 00:00 | 2027-01-01 00:00"},
		{"months without the day", "0 0 31 * *", "UTC", "2026-11-24 10:00", "2026-12-31 00:00 | 2027-01-31 00:00 | 2027-03-31 00:00"},
		{"leap years", "0 0 29 2 *", "UTC", "2026-11-24 10:00", "2028-02-29 00:00 | 2032-02-29 00:00"},
		{"seconds do not count", "* * * * *", "UTC", "2026-11-24 10:00:59", "2026-11-24 10:01"},
		{"an hour that is left out", "30 2 * * *", "Europe/Berlin", "2026-03-28 10:00", "2026-03-30 02:30"},
		{"an hour that is there twice", "30 2 * * *", "Europe/Berlin", "2026-10-24 10:00", "2026-10-25 02:30 | 2026-10-26 02:30"},
		{"every minute of the day that is short", "0 * * * *", "Europe/Berlin", "2026-03-29 00:30", "2026-03-29 01:00 | 2026-03-29 03:00"},
		{"half an hour off", "0 0 * * *", "Asia/Kolkata", "2026-11-24 10:00", "2026-11-25 00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := cron.Parse(tt.cron)
			if err != nil {
				t.Fatal(err)
			}
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			format := layout
			if len(tt.after) > len(layout) {
				format += ":05"
			}
			at, err := time.ParseInLocation(format, tt.after, zone)
			if err != nil {
				t.Fatal(err)
			}
			for want := range strings.SplitSeq(tt.want, " | ") {
				next := s.Next(at)
				if got := next.Format(layout); got != want || next.Second() != 0 {
					t.Fatalf("after %v comes %v, want %s", at, next, want)
				}
				at = next
			}
		})
	}
}

// TestParseErrors says what is wrong, and where.
func TestParseErrors(t *testing.T) {
	for text, says := range map[string]string{
		"":               "has 0 fields",
		"* * * *":        "has 4 fields",
		"* * * * * *":    "has 6 fields",
		"@daily":         "has 1 fields",
		"60 * * * *":     `minute: "60" is not a number from 0 to 59`,
		"* 24 * * *":     `hour: "24" is not`,
		"* * 0 * *":      `day of the month: "0" is not a number from 1 to 31`,
		"* * * 13 *":     `month: "13" is not a number from 1 to 12 or a name such as feb`,
		"* * * * 8":      `day of the week: "8" is not`,
		"* * * * monday": `"monday" is not`,
		"5-1 * * * *":    `"5-1" ends before it begins`,
		"*/0 * * * *":    "the step is not a number",
		"*/99 * * * *":   "the step is not a number",
		"*/x * * * *":    "the step is not a number",
		"5/10 * * * *":   "a step belongs behind a star or a range",
		"1,,2 * * * *":   `"" is not`,
		"-1 * * * *":     `"" is not`,
		"+1 * * * *":     `"+1" is not`,
		"0 0 30 2 *":     "never comes",
		"0 0 31 4,6,9 *": "never comes",
	} {
		if _, err := cron.Parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: it says %v, want %s", text, err, says)
		}
	}
}

// TestZero: without minutes nothing comes.
func TestZero(t *testing.T) {
	if at := (cron.Schedule{}).Next(time.Now()); !at.IsZero() {
		t.Errorf("it comes at %v", at)
	}
}

// FuzzParse: what is read has a minute that is one of its own, and the next one
// after the minute before it is the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"* * * * *", "*/5 1-3 29 feb mon,7", "0 0 31 1-12/2 *"} {
		f.Add(text, int64(1.7e9))
	}
	f.Fuzz(func(t *testing.T, text string, after int64) {
		s, err := cron.Parse(text)
		if err != nil {
			return
		}
		at := time.Unix(after%4e9, 0).UTC()
		next := s.Next(at)
		if !next.After(at) || !s.Next(next.Add(-time.Second)).Equal(next) {
			t.Errorf("%q after %v: %v", text, at, next)
		}
	})
}
