package metrics

import "time"

// Histogram is for tests.
type Histogram struct{ h histogram }

// Took counts a latency.
func (h *Histogram) Took(d time.Duration) { h.h[bucket(d)]++ }

// Latency is what was counted.
func (h *Histogram) Latency() Latency { return h.h.latency() }

// Middle is the latency that stands for d.
func Middle(d time.Duration) time.Duration { return middle(bucket(d)) }

// Bucket is where d is counted.
func Bucket(d time.Duration) int { return bucket(d) }

// Buckets is how many there are.
const Buckets = buckets
