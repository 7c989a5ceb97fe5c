package pyapp

import "time"

// maxDepth bounds how many requests are in flight to one lane. More would only
// wait longer where they cannot be seen.
const maxDepth = 16

// ahead is for how long requests may be expected to wait at the only lane that a
// pool has, instead of in the queue. They save the worker, and us, from being
// woken for each one, which on a busy core costs far more than the system calls:
// what the other process had in the caches is gone every time. With more lanes
// the time is divided by their number, because the queue gets the one that is
// free first. Should a lane become idle while this one is held up, what waits
// here is taken back.
const ahead = 2 * time.Millisecond

// A load is what a lane has to do and how fast it does it. It is guarded by
// Pool.mu.
type load struct {
	depth   int           // requests dispatched and not yet done
	heavy   bool          // one of them fills the socket: send nothing behind it
	service time.Duration // how long one request took lately
	since   time.Time     // when it last began or ended a request
	silent  time.Time     // since when it does not begin what it is sent; zero if it does
}

// isIdle reports whether the lane has nothing to do and takes requests.
func (d *load) isIdle() bool { return d.depth == 0 && d.silent.IsZero() }

// room reports whether c may be sent now: to an idle lane, or behind requests for
// which it may be expected to wait for less than that time.
func (d *load) room(c *call, wait time.Duration) bool {
	if d.isIdle() {
		return true
	}
	return d.silent.IsZero() && !d.heavy && !c.heavy && d.depth < maxDepth && time.Duration(d.depth)*d.service < wait
}

// add notes that c is about to be sent.
func (d *load) add(c *call, now time.Time) {
	if d.depth == 0 {
		d.since, d.heavy = now, c.heavy
	}
	d.depth++
}

// done notes that n requests have ended. The service time follows about the
// slowest fifth of the measurements, by steps: one that the system interrupted
// says little about the next, many slow ones say that waiting behind them would
// take long.
func (d *load) done(n int, now time.Time) {
	took := now.Sub(d.since) / time.Duration(n)
	d.depth, d.since = d.depth-n, now
	if took > d.service {
		d.service = min(took, d.service*3/2)
	} else {
		d.service = max(took, d.service*9/10)
	}
}

// returned notes that n requests were taken back because the one before them
// has been running for age.
func (d *load) returned(n int, age time.Duration) {
	d.depth -= n
	d.service = max(d.service, age) // nothing more behind this one
}
