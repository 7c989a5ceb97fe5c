package gatehouse

import (
	"net/http"
	"sync/atomic"
	"time"
)

// coarse is a point of time in milliseconds after the clock's start. Zero is
// never a time: where one is stored it means "not waiting".
type coarse int64

// clock is the time as of the sweeper's last round. A request needs the time
// for time-outs of seconds and for a Date field of whole seconds; reading it
// from here costs a load, where time.Now costs 50 ns several times a request.
//
// The sweeper winds the clock at every turn of a second at the latest, so Date
// is as exact as with time.Now, up to the delay of a wake-up.
type clock struct {
	start time.Time
	ms    atomic.Int64
	line  atomic.Pointer[dateLine]
}

// dateLine is a ready Date field line.
type dateLine struct {
	second int64
	text   []byte
}

func newClock() *clock {
	// Starting one millisecond in the past keeps zero free.
	c := &clock{start: time.Now().Add(-time.Millisecond)}
	c.wind()
	return c
}

// wind sets the clock and returns the exact time. It is for one goroutine at a
// time; reading is for all.
func (c *clock) wind() time.Time {
	now := time.Now()
	c.ms.Store(int64(now.Sub(c.start) / time.Millisecond))
	if l := c.line.Load(); l == nil || l.second != now.Unix() {
		text := make([]byte, 0, len("Date: \r\n")+len(http.TimeFormat))
		text = append(text, "Date: "...)
		text = now.UTC().AppendFormat(text, http.TimeFormat)
		c.line.Store(&dateLine{now.Unix(), append(text, "\r\n"...)})
	}
	return now
}

// now is the coarse time: up to a sweep behind, never ahead.
func (c *clock) now() coarse { return coarse(c.ms.Load()) }

// date is the field line "Date: …" with its CRLF. The caller must not change it.
func (c *clock) date() []byte { return c.line.Load().text }
