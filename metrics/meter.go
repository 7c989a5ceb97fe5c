package metrics

import (
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/recorder"
)

// Meter measures one handler, or several that are one to whoever reads. It is for
// any number of goroutines. Made by New.
type Meter struct {
	begun  time.Time
	shards []shard
}

// shard is a part of a meter's numbers. A request uses one that chance picks, so
// that those on other cores seldom wait for it.
type shard struct {
	mu       sync.Mutex
	inFlight *Exchange // the latest, and by its next the others
	count    int       // of those
	answers  [Classes]int64
	bytes    int64
	window   window
	_        [64]byte // keeps the next one's lock out of this one's cache line
}

// maxShards bounds what a meter takes: 3 KB each.
const maxShards = 8

// New returns a meter that has measured nothing.
func New() *Meter {
	return &Meter{begun: time.Now(), shards: make([]shard, min(maxShards, runtime.GOMAXPROCS(0)))}
}

// Class says how a request ended: 1 to 5 are the status codes 1xx to 5xx, of which
// 1 is a connection that changed its protocol.
type Class uint8

const (
	// Broken is a request whose handler gave its answer up.
	Broken Class = 0
	// Classes is how many there are.
	Classes = 6
)

// Exchange is a request that is being answered: the http.ResponseWriter to answer
// it with.
type Exchange struct {
	recorder.Recorder
	meter        *Meter
	shard        *shard
	before, next *Exchange
	begun        time.Time
	method, path string
}

// Middleware returns next, measured.
func (m *Meter) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.Serve(next, w, r) })
}

// Serve has h answer a request, and measures it.
func (m *Meter) Serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	x := m.Begin(w, r)
	returned := false
	defer func() { x.End(returned) }() // also when h panics
	h.ServeHTTP(x, r)
	returned = true
}

// Begin is Serve for who has no handler to give: what it returns takes the place
// of w. End follows in any case.
func (m *Meter) Begin(w http.ResponseWriter, r *http.Request) *Exchange {
	x := &Exchange{meter: m, shard: &m.shards[rand.IntN(len(m.shards))], begun: time.Now(), method: r.Method, path: r.URL.Path}
	x.ResponseWriter = w
	x.shard.enter(x)
	return x
}

// enter puts x among the requests in flight.
func (s *shard) enter(x *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.next = s.inFlight; x.next != nil {
		x.next.before = x
	}
	s.inFlight = x
	s.count++
}

// End counts what has become of the request. It is called once; returned is false
// if the handler has panicked.
func (x *Exchange) End(returned bool) {
	class, s, m := x.class(returned), x.shard, x.meter
	took := time.Since(x.begun)
	second := int64((x.begun.Sub(m.begun) + took) / time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.before == nil {
		s.inFlight = x.next
	} else {
		x.before.next = x.next
	}
	if x.next != nil {
		x.next.before = x.before
	}
	x.before, x.next = nil, nil // a handler may keep its writer, and should keep nobody else's
	s.count--
	s.answers[class]++
	s.bytes += x.Bytes()
	s.window.count(second)
	if class > 1 {
		s.window.took(took) // the others are no answers, or last as long as somebody talks
	}
}

// class is how x has ended.
func (x *Exchange) class(returned bool) Class {
	switch status := x.Status(); {
	case x.Hijacked():
		return 1
	case status >= 100 && status < 600 && returned:
		return Class(status / 100)
	case !returned || status != 0:
		return Broken
	}
	return 2 // a server answers 200 for a handler that wrote nothing
}

// Snapshot returns what has been measured until now.
func (m *Meter) Snapshot() Snapshot {
	var s Snapshot
	var latencies histogram
	now := time.Now()
	second := int64(now.Sub(m.begun) / time.Second)
	defer m.hold()()
	for i := range m.shards {
		m.shards[i].read(&s, &latencies, second)
	}
	s.Latency = latencies.latency()
	s.Measured = min(second, Seconds-1)
	return s
}

// hold stops all shards until release is called: who reads them one after the
// other would count a goroutine twice that goes from one to the next.
func (m *Meter) hold() (release func()) {
	for i := range m.shards {
		m.shards[i].mu.Lock()
	}
	return func() {
		for i := range m.shards {
			m.shards[i].mu.Unlock()
		}
	}
}

// read adds what a shard has counted. It is held.
func (s *shard) read(to *Snapshot, latencies *histogram, second int64) {
	s.window.reach(second)
	for c, n := range s.answers {
		to.Answers[c] += n
	}
	to.Bytes += s.bytes
	to.InFlight += s.count
	for age := range Seconds {
		if at := s.window.second - int64(age); at >= 0 {
			to.PerSecond[age] += s.window.counts[at%Seconds]
		}
	}
	latencies.add(&s.window.latencies[0])
	latencies.add(&s.window.latencies[1])
}

// Requests returns those of the requests in flight that are the oldest, most at
// most, the oldest first.
func (m *Meter) Requests(most int) []Request {
	all := m.inFlight()
	slices.SortStableFunc(all, func(a, b Request) int { return int(min(1, max(-1, b.Age-a.Age))) })
	return all[:min(most, len(all))]
}

// inFlight returns all requests in flight.
func (m *Meter) inFlight() (all []Request) {
	now := time.Now()
	defer m.hold()()
	for i := range m.shards {
		all = m.shards[i].requests(all, now)
	}
	return all
}

// requests adds those of a shard, which is held.
func (s *shard) requests(all []Request, now time.Time) []Request {
	all = slices.Grow(all, s.count)
	for x := s.inFlight; x != nil; x = x.next {
		all = append(all, Request{Method: x.method, Path: x.path, Age: max(0, now.Sub(x.begun))})
	}
	return all
}
