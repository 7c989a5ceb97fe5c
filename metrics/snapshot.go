package metrics

import "time"

// Snapshot is what a Meter has measured until one moment. The zero value is that
// of a handler nobody has asked for anything.
type Snapshot struct {
	// Answers are how many requests have ended, by Class.
	Answers [Classes]int64
	// Bytes are those of the bodies of answers.
	Bytes int64
	// InFlight is how many requests are being answered.
	InFlight int
	// PerSecond are how many requests ended in each of the last seconds: first in
	// the present one, which is not over, then in the one before, and so on.
	PerSecond [Seconds]uint32
	// Measured is how many of the seconds before the present one there have been.
	Measured int64
	// Latency is of the last half to the last whole minute.
	Latency Latency
}

// Latency tells how long requests took, from when the handler got them until it
// had answered. Those that broke off or changed their protocol do not count. The
// percentiles are exact to a sixteenth.
type Latency struct {
	Count         int64 // requests that this is about
	P50, P90, P99 time.Duration
}

// Request is one that is being answered.
type Request struct {
	Method, Path string // as the client has sent them: not for a terminal as they are
	Age          time.Duration
}

// Total is how many requests have ended.
func (s Snapshot) Total() (n int64) {
	for _, c := range s.Answers {
		n += c
	}
	return n
}

// rateSeconds is over how many seconds Rate is the mean: enough to be calm, few
// enough to follow.
const rateSeconds = 5

// Rate is how many requests a second have ended lately.
func (s Snapshot) Rate() float64 {
	n := min(s.Measured, rateSeconds)
	if n == 0 {
		return float64(s.PerSecond[0]) // all that is known
	}
	sum := 0
	for _, c := range s.PerSecond[1 : n+1] {
		sum += int(c)
	}
	return float64(sum) / float64(n)
}
