package metrics

import "time"

// Seconds is how many seconds a Snapshot tells one by one.
const Seconds = 60

// half is the time after which latencies begin to be forgotten: a Snapshot has
// those of the last half to the last whole minute.
const half = Seconds / 2

// window is what has been counted in the last minute. Time is given as whole
// seconds of any clock that does not go back; earlier ones than before count as
// now. The zero value is empty.
type window struct {
	second int64           // the latest that was seen
	counts [Seconds]uint32 // by second modulo Seconds

	period    int64        // second / half
	latencies [2]histogram // by period modulo 2
}

// reach forgets what is too old at that second.
func (w *window) reach(second int64) {
	if second <= w.second {
		return
	}
	for s := max(w.second+1, second-Seconds+1); s <= second; s++ {
		w.counts[s%Seconds] = 0
	}
	w.second = second
	if period := second / half; period != w.period {
		w.latencies[period%2] = histogram{}
		if period > w.period+1 {
			w.latencies[(period+1)%2] = histogram{}
		}
		w.period = period
	}
}

// count counts an answer.
func (w *window) count(second int64) {
	w.reach(second)
	w.counts[w.second%Seconds]++
}

// took counts a latency, in the second of the last count.
func (w *window) took(d time.Duration) { w.latencies[w.period%2][bucket(d)]++ }
