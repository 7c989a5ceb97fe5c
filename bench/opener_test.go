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
