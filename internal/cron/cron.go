// Package cron knows the five fields by which Unix says when something is to be
// done again and again: minute, hour, day of the month, month, day of the week. It
// has no clock and starts nothing.
package cron

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// A Schedule is a set of minutes. The zero value has none.
type Schedule struct {
	minutes, hours, days, months, weekdays uint64 // a bit for each value
	// Where both days are restricted, either is enough (POSIX crontab).
	anyDay, anyWeekday bool
}

// field is one of the five.
type field struct {
	name        string
	least, most int
	names       []string // of the values from least on; nil if they have none
}

var (
	monthNames   = strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")
	weekdayNames = strings.Fields("sun mon tue wed thu fri sat")
	fields       = [...]field{
		{"minute", 0, 59, nil},
		{"hour", 0, 23, nil},
		{"day of the month", 1, 31, nil},
		{"month", 1, 12, monthNames},
		{"day of the week", 0, 7, weekdayNames}, // 0 and 7 are Sunday
	}
)

// Parse reads five fields, each "*", a value, a range such as 1-5, or several of
// these with commas between; "/n" behind a star or range takes each n-th of it.
// Months and days of the week may be named by the first three letters of their
// English names. A Schedule that never comes is an error.
func Parse(text string) (Schedule, error) {
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return Schedule{}, fmt.Errorf("%q has %d fields; write five: minute, hour, day of the month, month, day of the week", text, len(parts))
	}
	var sets [len(fields)]uint64
	for i, part := range parts {
		var err error
		if sets[i], err = fields[i].parse(part); err != nil {
			return Schedule{}, fmt.Errorf("%s: %w", fields[i].name, err)
		}
	}
	s := Schedule{
		minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], weekdays: sets[4],
		anyDay: parts[2][0] == '*', anyWeekday: parts[4][0] == '*',
	}
	if s.weekdays&(1<<7) != 0 {
		s.weekdays |= 1
	}
	// A leap year, so that the 29th of February comes.
	if s.Next(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).Add(-time.Minute)).IsZero() {
		return Schedule{}, fmt.Errorf("%q never comes: no such month has such a day", text)
	}
	return s, nil
}

// parse reads the values of one field.
func (f field) parse(text string) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		first, last := f.least, f.most
		switch low, high, isRange := strings.Cut(span, "-"); {
		case span == "*":
		case isRange:
			if first, err = f.value(low); err == nil {
				last, err = f.value(high)
			}
			if err == nil && last < first {
				err = fmt.Errorf("%q ends before it begins", span)
			}
		default:
			first, err = f.value(span)
			last = first
			if err == nil && stepped {
				err = fmt.Errorf("%q: a step belongs behind a star or a range", part)
			}
		}
		if err != nil {
			return 0, err
		}
		by := 1
		if stepped {
			if by, err = strconv.Atoi(step); err != nil || by < 1 || by > f.most {
				return 0, fmt.Errorf("%q: the step is not a number from 1 to %d", part, f.most)
			}
		}
		for v := first; v <= last; v += by {
			set |= 1 << v
		}
	}
	return set, nil
}

// value reads one value.
func (f field) value(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.least + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.least || n > f.most || text[0] == '+' {
		what := fmt.Sprintf("a number from %d to %d", f.least, f.most)
		if f.names != nil {
			what += " or a name such as " + f.names[1]
		}
		return 0, fmt.Errorf("%q is not %s", text, what)
	}
	return n, nil
}

// horizon is how far a Schedule is followed: the 29th of February comes every
// eight years at the least, on a given day of the week every forty.
const horizon = 41

// Next is the first minute of the schedule after t, in t's time zone, on the
// clock that people there look at; the zero time if none comes. An hour that the
// clock leaves out has no minutes; one that it has twice counts once.
func (s Schedule) Next(t time.Time) time.Time {
	zone := t.Location()
	year, month, day := t.Date()
	hour, minute := t.Hour(), t.Minute()+1
	for last := year + horizon; year <= last; {
		// What is there from these on, in the calendar alone; a value over its field's
		// end leads to the next one of the field above.
		switch {
		case minute > 59:
			hour, minute = hour+1, 0
		case hour > 23:
			day, hour, minute = day+1, 0, 0
		case day > daysIn(year, month):
			month, day, hour, minute = month+1, 1, 0, 0
		case month > 12:
			year, month, day, hour, minute = year+1, 1, 1, 0, 0
		case s.months&(1<<month) == 0:
			month, day, hour, minute = month+1, 1, 0, 0
		case !s.hasDay(year, month, day):
			day, hour, minute = day+1, 0, 0
		case s.hours&(1<<hour) == 0:
			hour, minute = hour+1, 0
		case s.minutes>>minute == 0:
			hour, minute = hour+1, 0
		default:
			minute += bits.TrailingZeros64(s.minutes >> minute)
			at := time.Date(year, month, day, hour, minute, 0, 0, zone)
			if at.Hour() == hour && at.Minute() == minute && at.After(t) {
				return at
			}
			minute++ // left out by the clock, or the first of an hour that is there twice
		}
	}
	return time.Time{}
}

// hasDay reports whether a day is one of the schedule's.
func (s Schedule) hasDay(year int, month time.Month, day int) bool {
	weekday := time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Weekday()
	inMonth, inWeek := s.days&(1<<day) != 0, s.weekdays&(1<<weekday) != 0
	if s.anyDay || s.anyWeekday {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}

// daysIn is how many days a month has.
func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day()
}
