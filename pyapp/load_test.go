package pyapp

import (
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	light, heavy := &call{}, &call{heavy: true}
	start := time.Now()
	fast := load{service: 5 * time.Microsecond}
	tests := []struct {
		name string
		load load
		call *call
		want bool
	}{
		{"idle", load{service: time.Second}, light, true},
		{"idle, heavy", load{service: time.Second}, heavy, true},
		{"fast", load{depth: 1, service: fast.service}, light, true},
		{"fast, heavy", load{depth: 1, service: fast.service}, heavy, false},
		{"behind a heavy one", load{depth: 1, heavy: true, service: fast.service}, light, false},
		{"as many as may be", load{depth: maxDepth - 1, service: fast.service}, light, true},
		{"one more", load{depth: maxDepth, service: fast.service}, light, false},
		{"just short enough", load{depth: 1, service: ahead - 1}, light, true},
		{"too long", load{depth: 1, service: ahead}, light, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.load.room(tt.call, ahead); got != tt.want {
				t.Errorf("room = %t, want %t", got, tt.want)
			}
		})
	}

	l := load{service: ahead}
	serve := func(n int, d time.Duration) {
		for range n {
			l.add(light, start)
			start = start.Add(d)
			l.done(1, start)
		}
	}
	serve(100, 20*time.Microsecond)
	serve(1, time.Second) // the system did something else
	l.add(light, start)
	if !l.room(light, ahead) {
		t.Errorf("service %v after a hundred fast requests and one interruption", l.service)
	}
	l.done(1, start.Add(20*time.Microsecond))
	for range 20 {
		serve(2, 20*time.Microsecond)
		serve(1, 5*time.Millisecond)
	}
	if l.service < time.Millisecond {
		t.Errorf("service %v where a third of the requests take 5 ms: others would wait behind them", l.service)
	}
}
