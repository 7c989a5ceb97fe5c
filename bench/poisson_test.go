//go:build linux

package main

import (
	"slices"
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
