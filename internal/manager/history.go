package manager

import (
	"context"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

const (
	// sampleTime is the time between two looks at the numbers.
	sampleTime = 2 * time.Second
	// sampleCount is how many are kept: five minutes.
	sampleCount = 150
)

// history is what was measured in the last minutes. Safe for concurrent use.
type history struct {
	measured func() map[webapps.ContextName]metrics.Snapshot

	mu     sync.Mutex
	last   map[webapps.ContextName]metrics.Snapshot
	series map[webapps.ContextName]*series
}

// series is what was measured of one application in each sampleTime.
type series struct {
	samples [sampleCount]sample // a ring
	next    int                 // the place of the oldest, which the next one takes
}

// sample is what was measured in one of them.
type sample struct {
	requests, failed int64
	slow             time.Duration // the 99th percentile at its end
}

func newHistory(measured func() map[webapps.ContextName]metrics.Snapshot) *history {
	return &history{measured: measured, last: measured(), series: map[webapps.ContextName]*series{}}
}

// run takes samples until ctx ends.
func (h *history) run(ctx context.Context) {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.take()
		}
	}
}

// take takes a sample of each application. One of which nothing was measured in all
// the time that is kept takes no memory.
func (h *history) take() {
	now := h.measured()
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range h.series {
		if _, there := now[name]; !there {
			delete(h.series, name)
		}
	}
	for name, n := range now {
		before := h.last[name]
		if n.Total() < before.Total() { // another application has come in its place
			before = metrics.Snapshot{}
		}
		v := sample{n.Total() - before.Total(), failed(n) - failed(before), n.Latency.P99}
		s := h.series[name]
		if s == nil {
			if v.requests == 0 {
				continue
			}
			s = &series{}
			h.series[name] = s
		}
		s.samples[s.next] = v
		s.next = (s.next + 1) % sampleCount
		if all, _ := s.sum(); all == 0 {
			delete(h.series, name)
		}
	}
	h.last = now
}

// failed is how many requests got an error of the server's or application's, or
// broke off.
func failed(s metrics.Snapshot) int64 { return s.Answers[5] + s.Answers[metrics.Broken] }

// sum is how many requests there were in all the time that is kept.
func (s *series) sum() (requests, failed int64) {
	for _, v := range s.samples {
		requests += v.requests
		failed += v.failed
	}
	return requests, failed
}

// traffic is what is shown of an application's requests in the last minutes.
type traffic struct {
	Requests, Failed int64
	Errors           float64   // failures a second, in the last ten seconds
	Rates            []float64 // requests a second, the oldest first
	Slowness         []float64 // the 99th percentile of the latency, likewise, in seconds
}

// nowSamples make up the last ten seconds.
const nowSamples = 5

// of is the traffic of an application.
func (h *history) of(name webapps.ContextName) traffic {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := traffic{Rates: make([]float64, sampleCount), Slowness: make([]float64, sampleCount)}
	s := h.series[name]
	if s == nil {
		return t
	}
	t.Requests, t.Failed = s.sum()
	for i := range t.Rates {
		v := s.samples[(s.next+i)%sampleCount]
		t.Rates[i] = float64(v.requests) / sampleTime.Seconds()
		t.Slowness[i] = v.slow.Seconds()
		if i >= sampleCount-nowSamples {
			t.Errors += float64(v.failed) / (nowSamples * sampleTime).Seconds()
		}
	}
	return t
}
