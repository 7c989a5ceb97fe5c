package metrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/metrics"
)

func TestBuckets(t *testing.T) {
	tests := []struct {
		name string
		d    time.Duration
		want int
	}{
		{"nothing", 0, 0},
		{"a clock that went back", -time.Second, 0},
		{"below a microsecond", 999, 0},
		{"the last that has its own", 7 * time.Microsecond, 7},
		{"the first of the second octave", 8 * time.Microsecond, 8},
		{"its last", 15 * time.Microsecond, 15},
		{"the first of two microseconds", 16 * time.Microsecond, 16},
		{"the same", 17 * time.Microsecond, 16},
		{"the next", 18 * time.Microsecond, 17},
		{"an hour", time.Hour, metrics.Bucket(time.Hour + time.Second)},
		{"the last", (1<<32 - 1) * time.Microsecond, metrics.Buckets - 1},
		{"one beyond it", (1 << 32) * time.Microsecond, metrics.Buckets - 1},
		{"for ever", math.MaxInt64, metrics.Buckets - 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := metrics.Bucket(tt.d); got != tt.want {
				t.Errorf("%v is in bucket %d, want %d", tt.d, got, tt.want)
			}
		})
	}
}

// TestExact tries latencies over the whole range: what stands for one is a
// sixteenth off at most, from where a microsecond is no more than that.
func TestExact(t *testing.T) {
	last := 0
	for d := 8 * time.Microsecond; d < time.Hour; d += d/50 + 1 {
		if m := metrics.Middle(d); (m - d).Abs() > d/16+time.Microsecond {
			t.Fatalf("%v stands for %v", m, d)
		}
		b := metrics.Bucket(d)
		if b < last || b > last+1 && last != 0 {
			t.Fatalf("%v is in bucket %d, what is a little less in %d", d, b, last)
		}
		last = b
	}
}

func TestPercentiles(t *testing.T) {
	tests := []struct {
		name          string
		latencies     map[time.Duration]int
		p50, p90, p99 time.Duration
	}{
		{"none", nil, 0, 0, 0},
		{"one", map[time.Duration]int{time.Second: 1}, time.Second, time.Second, time.Second},
		{"two", map[time.Duration]int{time.Millisecond: 1, time.Second: 1}, time.Millisecond, time.Second, time.Second},
		{"a hundred", map[time.Duration]int{time.Millisecond: 89, time.Second: 9, time.Minute: 2}, time.Millisecond, time.Second, time.Minute},
		{"a hundred, one less", map[time.Duration]int{time.Millisecond: 90, time.Second: 9, time.Minute: 1}, time.Millisecond, time.Millisecond, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h metrics.Histogram
			n := 0
			for d, count := range tt.latencies {
				for range count {
					h.Took(d)
				}
				n += count
			}
			l := h.Latency()
			if l.Count != int64(n) {
				t.Errorf("counted %d, want %d", l.Count, n)
			}
			for _, p := range []struct {
				name      string
				got, want time.Duration
			}{{"p50", l.P50, tt.p50}, {"p90", l.P90, tt.p90}, {"p99", l.P99, tt.p99}} {
				if n > 0 && p.got != metrics.Middle(p.want) || n == 0 && p.got != 0 {
					t.Errorf("%s is %v, want %v", p.name, p.got, p.want)
				}
			}
		})
	}
}
