package gatehouse

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		first := c.now()
		if first <= 0 {
			t.Errorf("the first time is %d, which means none", first)
		}
		for _, step := range []time.Duration{0, 400 * time.Millisecond, 600 * time.Millisecond, 25 * time.Hour} {
			<-time.After(step)
			c.wind()
			want := "Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n"
			if got := string(c.date()); got != want {
				t.Errorf("after %v: %q, want %q", step, got, want)
			}
		}
		if passed := time.Duration(c.now()-first) * time.Millisecond; passed != 25*time.Hour+time.Second {
			t.Errorf("%v passed on the clock, want 25h0m1s", passed)
		}
	})
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		name     string
		field    time.Duration
		resolved time.Duration
		tick     time.Duration
		limit    coarse
	}{
		{"zero is the default", 0, time.Minute, maxTick, 60_500},
		{"less is none", -1, 0, maxTick, 0},
		{"long", time.Hour, time.Hour, maxTick, 3_600_500},
		{"short ones tick faster", 100 * time.Millisecond, 100 * time.Millisecond, 25 * time.Millisecond, 125},
		{"very short", 2 * time.Millisecond, 2 * time.Millisecond, time.Millisecond, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := resolve(tt.field, time.Minute)
			if d != tt.resolved {
				t.Errorf("resolved to %v, want %v", d, tt.resolved)
			}
			got := newTimeouts(d, 0, 0, 0)
			if got.tick != tt.tick || got.head != tt.limit || got.body != 0 {
				t.Errorf("tick %v, limits %d and %d, want %v, %d and 0", got.tick, got.head, got.body, tt.tick, tt.limit)
			}
		})
	}
}
