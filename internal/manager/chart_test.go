package manager_test

import (
	"math"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
)

func TestScale(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{nil, 1},
		{[]float64{0, 0.3}, 1},
		{[]float64{1}, 1},
		{[]float64{1.1}, 2},
		{[]float64{4, 2}, 5},
		{[]float64{5.5}, 10},
		{[]float64{730}, 1000},
	} {
		if got := manager.Scale(tt.values, 1); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("the scale of %v ends at %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "–", 5 * time.Microsecond: "< 0.1 ms", 430 * time.Microsecond: "0.4 ms", 12 * time.Millisecond: "12 ms", 1500 * time.Millisecond: "1.5 s", 59 * time.Second: "59 s",
		61 * time.Second: "1 min", 3 * time.Hour: "3 h", 72 * time.Hour: "3 days",
	} {
		if got := manager.SayTime(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "–", 1: "1 KB", 8 << 20: "8 MB", 512 << 20: "512 MB", 12 << 30: "12.0 GB"} {
		if got := manager.SaySize(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}
