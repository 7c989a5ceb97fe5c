package metrics

import (
	"math/bits"
	"time"
)

// Latencies are counted in buckets whose width grows with them: each power of
// two of microseconds is cut into steps equal parts. A percentile is then wrong
// by 1/16 of itself at most, whatever it is.
const (
	stepBits = 3
	steps    = 1 << stepBits
	// buckets reach to 2^32 µs, which is more than an hour; what takes longer is in
	// the last.
	buckets = (32 - stepBits + 1) * steps
)

// histogram counts latencies. The zero value is empty.
type histogram [buckets]uint32

// bucket is where a latency is counted.
func bucket(d time.Duration) int {
	us := uint64(max(0, d) / time.Microsecond)
	if us < steps {
		return int(us) // each microsecond has its own
	}
	shift := bits.Len64(us) - 1 - stepBits
	return min(buckets-1, (shift+1)*steps+int(us>>shift)-steps)
}

// middle is the latency in the middle of a bucket.
func middle(b int) time.Duration {
	if b < steps {
		return time.Duration(b)*time.Microsecond + time.Microsecond/2
	}
	shift := b/steps - 1
	low := uint64(steps+b%steps) << shift
	return time.Duration(low)*time.Microsecond + time.Duration(uint64(1)<<shift)*time.Microsecond/2
}

// add adds the counts of another.
func (h *histogram) add(o *histogram) {
	for b, n := range o {
		h[b] += n
	}
}

// latency are the percentiles of what was counted.
func (h *histogram) latency() Latency {
	var l Latency
	for _, n := range h {
		l.Count += int64(n)
	}
	l.P50, l.P90, l.P99 = h.percentile(l.Count, 50), h.percentile(l.Count, 90), h.percentile(l.Count, 99)
	return l
}

// percentile is the latency that p of a hundred requests do not exceed, count
// being how many there are: the nearest rank. 0 where there are none.
func (h *histogram) percentile(count, p int64) time.Duration {
	rank := (count*p + 99) / 100
	for b, n := range h {
		if rank -= int64(n); n > 0 && rank <= 0 {
			return middle(b)
		}
	}
	return 0
}
