//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestIdeal(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name     string
		at, took []time.Duration
	}{
		{"all workers free", []time.Duration{0, 2 * ms, 9 * ms}, []time.Duration{5 * ms, 5 * ms, 5 * ms}},
		{"the third waits", []time.Duration{0, ms, 2 * ms}, []time.Duration{5 * ms, 5 * ms, 8 * ms}},
		{"in the order of arrival", []time.Duration{0, 0, 0, 0}, []time.Duration{5 * ms, 5 * ms, 10 * ms, 10 * ms}},
	}
	for _, tt := range tests {
		if got := ideal(tt.at, 2, 5*ms); !slices.Equal(got, tt.took) {
			t.Errorf("%s: ideal = %v, want %v", tt.name, got, tt.took)
		}
	}
}

// A seed names a sequence of arrivals; it has the rate that was asked for, and
// gaps that vary as much as they are long.
func TestArrivals(t *testing.T) {
	at := arrivals(7, time.Hour)
	if !slices.Equal(at, arrivals(7, time.Hour)) || slices.Equal(at, arrivals(8, time.Hour)) {
		t.Error("arrivals do not follow from the seed")
	}
	if rate := float64(len(at)) / time.Hour.Seconds(); rate < 0.99*poissonRate || rate > 1.01*poissonRate {
		t.Errorf("%.1f arrivals a second, want %d", rate, poissonRate)
	}
	if !slices.IsSorted(at) || at[len(at)-1] >= time.Hour {
		t.Error("arrivals out of order or too late")
	}
	mean := time.Second / poissonRate
	longer := 0 // than the mean: of exponential gaps, one in e
	for i := range at[1:] {
		if at[i+1]-at[i] > mean {
			longer++
		}
	}
	if share := float64(longer) / float64(len(at)); share < 0.36 || share > 0.376 {
		t.Errorf("%.3f of the gaps are longer than the mean, want 0.368", share)
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	tests := []struct {
		sorted []time.Duration
		p      int
		want   time.Duration
	}{
		{nil, 99, 0},
		{[]time.Duration{5}, 99, 5},
		{[]time.Duration{5, 6}, 50, 5},
		{[]time.Duration{5, 6}, 100, 6},
		{hundred, 99, 99},
		{hundred[:50], 99, 50},
	}
	for _, tt := range tests {
		if got := percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("percentile(%v, %d) = %d, want %d", tt.sorted, tt.p, got, tt.want)
		}
	}
}

// A request that is not answered keeps no later one from being sent; its time
// counts from when it was due.
func TestOpenLoop(t *testing.T) {
	const n = 20
	var came atomic.Int32
	all := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if came.Add(1) == n {
			close(all)
		}
		<-all
	}))
	defer srv.Close()
	o := &opener{addr: strings.TrimPrefix(srv.URL, "http://"), idle: make(chan *client, n/2)}
	defer o.close()
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = time.Duration(i) * time.Millisecond
	}
	o.run(at)
	if len(o.errs) > 0 || len(o.took) != n || len(o.late) != n {
		t.Fatalf("%d answers, %d lateness, errors %v; want %d and none", len(o.took), len(o.late), o.errs, n)
	}
	if longest := slices.Max(o.took); longest < at[n-1] {
		t.Errorf("the longest took %v, less than the %v until the last one was due", longest, at[n-1])
	}
	if kept := len(o.idle); kept != n/2 {
		t.Errorf("%d connections kept, want %d", kept, n/2)
	}
}

// An answer that is no success is an error.
func TestOpenLoopErrors(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	o := &opener{addr: strings.TrimPrefix(srv.URL, "http://"), idle: make(chan *client, 1)}
	defer o.close()
	o.run([]time.Duration{0, 0, 0})
	if len(o.errs) != 3 || len(o.took) != 0 {
		t.Errorf("%d errors, %d answers, want 3 and 0", len(o.errs), len(o.took))
	}
	if err := o.warm(1); err == nil {
		t.Error("warm took 404 for an answer")
	}
}
