package accesslog

import (
	"sync/atomic"
	"time"
)

// clock keeps the text of the current second: formatting a time costs more than
// the rest of a line, and a busy server writes thousands of lines a second. The
// zero value is ready and safe for concurrent use.
type clock struct {
	last atomic.Pointer[second]
}

type second struct {
	unix     int64
	combined string // as the combined format wants it, without the brackets
	date     string // RFC 3339 up to the seconds
	zone     string // and what follows the fraction
}

// at is the second of t.
func (c *clock) at(t time.Time) *second {
	unix := t.Unix()
	if s := c.last.Load(); s != nil && s.unix == unix {
		return s
	}
	s := &second{
		unix:     unix,
		combined: t.Format("02/Jan/2006:15:04:05 -0700"),
		date:     t.Format("2006-01-02T15:04:05"),
		zone:     t.Format("Z07:00"),
	}
	c.last.Store(s)
	return s
}

// appendRFC3339 adds t with milliseconds.
func (c *clock) appendRFC3339(dst []byte, t time.Time) []byte {
	s := c.at(t)
	ms := t.Nanosecond() / 1e6
	dst = append(dst, s.date...)
	dst = append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	return append(dst, s.zone...)
}
