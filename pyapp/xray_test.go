package pyapp_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Looking into a worker must not hurt it: thousands of stacks under load, and
// every process lives on, every request is answered.
func TestThousandsOfStacksKillNoWorker(t *testing.T) {
	want := soaking(10000, 500)
	for _, threads := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "xray", Workers: 2, Threads: threads, Slow: time.Millisecond, QueueWait: time.Minute})
			stacks := func() int { return strings.Count(s.log.String(), `xray.py\", line `) }
			var done atomic.Bool
			var clients sync.WaitGroup
			var mu sync.Mutex
			pids := map[string]int{}
			// More than there are threads: while some wait, those that run are looked
			// at often.
			for range 2*threads + 4 {
				clients.Go(func() {
					for !done.Load() {
						got := s.get(t, "/working?0.01")
						if got.status != http.StatusOK {
							t.Errorf("status %d", got.status)
						}
						mu.Lock()
						pids[got.body]++
						mu.Unlock()
					}
				})
			}
			clients.Go(func() {
				defer done.Store(true)
				begin := time.Now()
				for n, last := 0, 0; stacks() < want; n++ {
					if now := stacks(); now > last {
						last, begin = now, time.Now()
					}
					if time.Since(begin) > 20*time.Second {
						t.Errorf("%d stacks, and no more", last)
						return
					}
					// What comes unasked is no harm either.
					pyapp.SignalWorker(s.Pool, n, pyapp.SigStack)
					s.get(t, "/")
				}
			})
			clients.Wait()
			if len(pids) != 2 {
				t.Errorf("answers by process: %v, want two of them", pids)
			}
			if log := s.log.String(); strings.Contains(log, "a worker ended") {
				t.Error("a worker ended")
			}
			t.Logf("%d stacks", stacks())
		})
	}
}

func TestStackOfARequestInCCode(t *testing.T) {
	tests := []struct {
		path    string
		threads int
		fault   bool // only faulthandler can tell
	}{
		{"/sums", 1, true},
		{"/sums", 4, true},
		{"/hashes", 1, true},
		{"/hashes", 4, false}, // the main thread answers for the others
		{"/sorts", 1, false},
		{"/matches", 1, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s, %d threads", tt.path, tt.threads), func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "xray", Threads: tt.threads, Slow: 50 * time.Millisecond})
			first := s.get(t, "/").body
			got := s.get(t, tt.path+"?1.5")
			if got.status != http.StatusOK || got.body != first {
				t.Errorf("status %d from process %s, want 200 from %s", got.status, got.body, first)
			}
			record := s.log.Line(t, "a request is slow", got.header.Get("X-Request-Id"), `xray.py\", line `, "in "+tt.path[1:])
			if fault := strings.Contains(record, "most recent call first"); tt.fault && !fault {
				t.Errorf("not written from C: %s", record)
			}
		})
	}
}

// A worker with several threads: what is too slow fails, what runs beside it
// does not, and what comes later goes elsewhere.
func TestOthersOfAnOverdueWorkerFinish(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", Threads: 4, Timeout: 300 * time.Millisecond})
	first := s.get(t, "/pid").body
	answers := make(chan reply, 3)
	for range cap(answers) {
		go func() { answers <- s.get(t, "/stalls?1.5") }()
	}
	eventually(t, "requests that are under way", func() bool { return pyapp.InFlight(s.Pool) == cap(answers) })
	if got := s.get(t, "/sleeps?60"); got.status != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 504", got.status)
	}
	if got := s.get(t, "/pid"); got.status != http.StatusOK || got.body == first {
		t.Errorf("status %d from process %s; it takes requests after one was given up", got.status, got.body)
	}
	for range cap(answers) {
		if got := <-answers; got.status != http.StatusOK || got.body != "begundone" || got.err != nil {
			t.Errorf("beside the one that was given up: status %d, %q, %v", got.status, got.body, got.err)
		}
	}
	s.log.Line(t, "a worker ended", `"worker":1,`, `"reason":"time-out"`)
}

// The request that runs is lost with its worker; those that wait behind it are
// not.
func TestKilledWorkerLosesOneRequest(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", Workers: 1})
	statuses := make(chan int, 9)
	go func() { statuses <- s.get(t, "/sleeps?60").status }()
	eventually(t, "a request that is under way", func() bool { return pyapp.InFlight(s.Pool) == 1 })
	for range cap(statuses) - 1 {
		go func() { statuses <- s.get(t, "/pid").status }()
	}
	eventually(t, "requests that wait", func() bool { return pyapp.Waiting(s.Pool)+pyapp.InFlight(s.Pool) == cap(statuses) })
	pyapp.SignalWorker(s.Pool, 0, syscall.SIGKILL)
	counts := map[int]int{}
	for range cap(statuses) {
		counts[<-statuses]++
	}
	if counts[http.StatusBadGateway] != 1 || counts[http.StatusOK] != cap(statuses)-1 {
		t.Errorf("answers by status: %v, want one 502 and %d times 200", counts, cap(statuses)-1)
	}
}
