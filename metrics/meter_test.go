package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/metrics"
)

// ask has a handler answer one request behind m.
func ask(m *metrics.Meter, path string, h http.HandlerFunc) {
	defer func() { _ = recover() }() // as a server does
	m.Serve(h, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		class   metrics.Class
		bytes   int64
		latency int64
	}{
		{"nothing written", func(http.ResponseWriter, *http.Request) {}, 2, 0, 1},
		{"a body", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "four") }, 2, 4, 1},
		{"hints, then a redirect", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(303) }, 3, 0, 1},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 4, 0, 1},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 5, 0, 1},
		{"another protocol", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101) }, 1, 0, 0},
		{"a status of no class", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) }, metrics.Broken, 0, 0},
		{"given up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, metrics.Broken, 0, 0},
		{"given up in the middle", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fo"); panic(http.ErrAbortHandler) }, metrics.Broken, 2, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := metrics.New()
			ask(m, "/", tt.answer)
			s := m.Snapshot()
			var want [metrics.Classes]int64
			want[tt.class] = 1
			if s.Answers != want || s.Bytes != tt.bytes || s.Latency.Count != tt.latency || s.InFlight != 0 || s.Total() != 1 {
				t.Errorf("%+v, want 1 of class %d, %d bytes, %d latencies", s, tt.class, tt.bytes, tt.latency)
			}
		})
	}
}

// TestHijacked takes the connection over, over a real one.
func TestHijacked(t *testing.T) {
	testserver.Run(t, func(t *testing.T, mode testserver.Mode) {
		m := metrics.New()
		s := testserver.StartConfig(t, mode, testserver.Config{Handler: m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(conn, "hello")
		}))})
		c := s.Dial()
		c.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		c.Expect("hello")
		c.Closed()
		testserver.Eventually(t, "the request is counted", func() bool { return m.Snapshot().Total() == 1 })
		if got := m.Snapshot().Answers[1]; got != 1 {
			t.Errorf("%d connections changed their protocol, want 1", got)
		}
	}, testserver.Plain()...)
}

func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		release := map[string]chan struct{}{"/a": make(chan struct{}), "/b": make(chan struct{}), "/c": make(chan struct{})}
		var wg sync.WaitGroup
		for _, path := range []string{"/a", "/b", "/c"} {
			wg.Go(func() { ask(m, path, func(http.ResponseWriter, *http.Request) { <-release[path] }) })
			time.Sleep(time.Second)
		}
		want := []metrics.Request{{"GET", "/a", 3 * time.Second}, {"GET", "/b", 2 * time.Second}, {"GET", "/c", time.Second}}
		same(t, m.Requests(10), want)
		same(t, m.Requests(2), want[:2])
		if n := m.Snapshot().InFlight; n != 3 {
			t.Errorf("%d in flight, want 3", n)
		}
		for i, path := range []string{"/b", "/a", "/c"} {
			close(release[path])
			synctest.Wait()
			if n := m.Snapshot().InFlight; n != 2-i {
				t.Errorf("%d in flight without %s, want %d", n, path, 2-i)
			}
			if path == "/b" {
				same(t, m.Requests(10), []metrics.Request{want[0], want[2]})
			}
		}
		wg.Wait()
		same(t, m.Requests(10), nil)
	})
}

func same(t *testing.T, got, want []metrics.Request) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("in flight %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("in flight %v, want %v", got[i], want[i])
		}
	}
}

func TestLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		for range 3 {
			ask(m, "/", func(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) })
		}
		s := m.Snapshot()
		if s.Rate() != 3 || s.PerSecond[0] != 3 || s.Measured != 0 {
			t.Errorf("in the first second: rate %v, %d in this one, %d whole ones; want 3, 3, 0", s.Rate(), s.PerSecond[0], s.Measured)
		}
		if l := s.Latency; l.Count != 3 || l.P50 < 9*time.Millisecond || l.P99 > 11*time.Millisecond {
			t.Errorf("latency %+v, want 10 ms each", l)
		}
		time.Sleep(2 * time.Second)
		ask(m, "/", func(http.ResponseWriter, *http.Request) {})
		s = m.Snapshot()
		if s.Rate() != 1.5 || s.PerSecond[0] != 1 || s.PerSecond[2] != 3 || s.Measured != 2 {
			t.Errorf("two seconds later: rate %v, %v, %d whole ones; want 1.5", s.Rate(), s.PerSecond[:4], s.Measured)
		}
		time.Sleep(29 * time.Second)
		if n := m.Snapshot().Latency.Count; n != 4 {
			t.Errorf("%d latencies after half a minute, want 4", n)
		}
		time.Sleep(30 * time.Second)
		s = m.Snapshot()
		if s.Latency.Count != 0 || s.Rate() != 0 || s.PerSecond[59] != 1 {
			t.Errorf("after a minute: %d latencies, rate %v, %d a minute ago; want 0, 0, 1", s.Latency.Count, s.Rate(), s.PerSecond[59])
		}
		time.Sleep(time.Hour)
		if s = m.Snapshot(); s.PerSecond != [metrics.Seconds]uint32{} || s.Total() != 4 {
			t.Errorf("after an hour: %v, %d in all; want nothing, 4", s.PerSecond, s.Total())
		}
	})
}

// TestTogether measures requests of many goroutines, with readers beside them.
func TestTogether(t *testing.T) {
	const goroutines, each = 8, 500
	m := metrics.New()
	stop := make(chan struct{})
	var readers, wg sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if s, r := m.Snapshot(), m.Requests(goroutines+1); s.InFlight > goroutines || len(r) > goroutines {
					t.Errorf("%d and %d in flight, want %d at most", s.InFlight, len(r), goroutines)
				}
			}
		}
	})
	for range goroutines {
		wg.Go(func() {
			for range each {
				ask(m, "/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") })
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
	if s := m.Snapshot(); s.Total() != goroutines*each || s.Bytes != goroutines*each || s.InFlight != 0 {
		t.Errorf("%d answers, %d bytes, %d in flight; want %d, as many, 0", s.Total(), s.Bytes, s.InFlight, goroutines*each)
	}
}

// nobody is a writer that costs nothing.
type nobody struct{ http.ResponseWriter }

func (nobody) WriteHeader(int) {}

func TestAllocations(t *testing.T) {
	m := metrics.New()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := &nobody{}
	if n := testing.AllocsPerRun(1000, func() { m.Serve(h, w, r) }); n > 1 {
		t.Errorf("%v allocations a request, want the one of its record", n)
	}
}

func BenchmarkServe(b *testing.B) {
	m := metrics.New()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		w := &nobody{}
		for p.Next() {
			m.Serve(h, w, r)
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	m := metrics.New()
	b.ReportAllocs()
	for b.Loop() {
		m.Snapshot()
	}
}
