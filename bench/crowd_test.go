//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Every answer counts once: a connection that the server announces to close is
// no failure, another status than 200 and a broken connection are.
func TestCrowd(t *testing.T) {
	const requests = 60
	var n, good, bad atomic.Int32
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		if i == requests {
			close(done)
		}
		switch {
		case i == 10:
			bad.Add(1)
			http.Error(w, "not now", http.StatusServiceUnavailable)
		case i == 20:
			bad.Add(1)
			panic(http.ErrAbortHandler)
		case i%7 == 0:
			w.Header().Set("Connection", "close")
			fallthrough
		default:
			good.Add(1)
			_, _ = w.Write([]byte("page"))
		}
	}))
	defer srv.Close()
	c := startCrowd(strings.TrimPrefix(srv.URL, "http://"), "/", 4)
	<-done
	e := c.stop()
	if len(e.times) != int(good.Load()) || e.failed() != int(bad.Load()) {
		t.Errorf("%d answers and %d failures counted, the server has seen %d and %d", len(e.times), e.failed(), good.Load(), bad.Load())
	}
	if e.median() <= 0 || e.longest() < e.median() {
		t.Errorf("median %v, longest %v", e.median(), e.longest())
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
