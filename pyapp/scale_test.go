package pyapp_test

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// impatiently opens a pool that does at once what others do after a while.
func impatiently(c pyapp.Config) (*pyapp.Pool, error) {
	return pyapp.OpenImpatiently(c, 300*time.Millisecond)
}

// marked is the configuration of an application that looks for a file, and the
// file's path.
func marked(t *testing.T, app string) (c pyapp.Config, marker string) {
	t.Helper()
	marker = filepath.Join(t.TempDir(), "marker")
	return pyapp.Config{App: app, Env: append(os.Environ(), "MARKER="+marker)}, marker
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// takers is how many workers take requests now.
func takers(s *site) (n int) {
	for _, w := range s.Status().Workers {
		if !w.Old && (w.State == pyapp.Ready || w.State == pyapp.Busy) {
			n++
		}
	}
	return n
}

func TestDefaultWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for cores, want := range map[int]int{1: 2, 2: 2, 5: 5, 8: 8, 64: 8} {
		runtime.GOMAXPROCS(cores)
		if got := pyapp.DefaultWorkers(); got != want {
			t.Errorf("%d cores: %d workers, want %d", cores, got, want)
		}
	}
}

func TestWorkersFollowTheLoad(t *testing.T) {
	s := serveOpened(t, pyapp.Config{App: "good:plain", Workers: 1, MaxWorkers: 3}, impatiently)
	if n := takers(s); n != 1 {
		t.Fatalf("%d workers at the start, want 1", n)
	}
	for range 2 {
		begin := time.Now()
		var load sync.WaitGroup
		for range 6 {
			load.Go(func() {
				if got := s.get(t, "/sleeps?0.5"); got.status != http.StatusOK {
					t.Errorf("status %d", got.status)
				}
			})
		}
		eventually(t, "three workers", func() bool { return takers(s) == 3 })
		load.Wait()
		// One after the other they would take three seconds.
		if took := time.Since(begin); took > 2900*time.Millisecond {
			t.Errorf("six requests of half a second took %v", took)
		}
		if n := len(s.Status().Workers); n > 3 {
			t.Errorf("%d workers, want 3 at most", n)
		}
		eventually(t, "the surplus to go", func() bool { return len(s.Status().Workers) == 1 })
	}
	s.log.Line(t, "requests waited: one more worker", `"workers":3`)
	s.log.Line(t, "a worker has idled long enough")
	s.log.Line(t, `"level":"INFO"`, "a worker ended", `"reason":"surplus"`, `"exit":"status 0"`)
}

func TestFastRequestsNeedNoMoreWorkers(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain", Workers: 1, MaxWorkers: 4})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for range 100 {
				s.get(t, "/hello")
			}
		})
	}
	load.Wait()
	if n := len(s.Status().Workers); n != 1 {
		t.Errorf("%d workers, want 1", n)
	}
}

func TestReloadKeepsTheNumberOfWorkers(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain", Workers: 1, MaxWorkers: 2})
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() { s.get(t, "/sleeps?0.5") })
	}
	eventually(t, "two workers", func() bool { return takers(s) == 2 })
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := takers(s); n != 2 {
		t.Errorf("%d workers after the reload, want 2", n)
	}
	load.Wait()
}

// Workers that do not live are no reason to start more of them, nor does a
// failed attempt disturb those that serve.
func TestWorkersThatCannotBeAdded(t *testing.T) {
	config, marker := marked(t, "stillborn")
	config.Workers, config.MaxWorkers = 1, 4
	s := serveOpened(t, config, impatiently)
	writeFile(t, marker, "")
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			if got := s.get(t, "/?0.3"); got.status != http.StatusOK {
				t.Errorf("status %d", got.status)
			}
		})
	}
	s.log.Line(t, "cannot start one more worker")
	load.Wait()
	if status := s.Status(); status.CrashLoop {
		t.Errorf("status %+v", status)
	}
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		load.Go(func() { s.get(t, "/?1") })
	}
	eventually(t, "more workers", func() bool { return takers(s) > 1 })
	load.Wait()
}

func TestWorkersAreReplacedAfterRequests(t *testing.T) {
	for _, tt := range []struct {
		name    string
		alone   bool
		threads int
	}{{"forked", false, 1}, {"not forked", true, 1}, {"threads", false, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "good:plain", Workers: 2, Threads: tt.threads, MaxRequests: 20, NoPreload: tt.alone})
			pids := map[string]bool{}
			var mu sync.Mutex
			var load sync.WaitGroup
			for range 4 {
				load.Go(func() {
					for range 60 {
						got := s.get(t, "/pid")
						if got.status != http.StatusOK {
							t.Errorf("status %d", got.status)
						}
						mu.Lock()
						pids[got.body] = true
						mu.Unlock()
						if n := takers(s); n < 2 {
							t.Errorf("%d workers take requests, want 2 always", n)
						}
					}
				})
			}
			load.Wait()
			eventually(t, "two fresh workers", func() bool {
				for _, w := range s.Status().Workers {
					if w.Served >= 22 {
						return false
					}
				}
				return len(s.Status().Workers) == 2
			})
			s.log.Line(t, `"level":"INFO"`, "a worker is replaced", `"reason":"recycle"`)
			s.log.Line(t, `"level":"INFO"`, "a worker ended", `"reason":"recycle"`, `"exit":"status 0"`)
			eventually(t, "an answer of a third process", func() bool {
				pids[s.get(t, "/pid").body] = true
				return len(pids) >= 3
			})
		})
	}
}

func TestWorkerWithoutSuccessorGoesOn(t *testing.T) {
	config, marker := marked(t, "stillborn")
	config.MaxRequests = 5
	s := serveOpened(t, config, impatiently)
	first := s.get(t, "/").body
	writeFile(t, marker, "")
	for range 10 {
		if got := s.get(t, "/"); got.status != http.StatusOK || got.body != first {
			t.Errorf("status %d from process %s, want the first one's", got.status, got.body)
		}
	}
	s.log.Line(t, "cannot start a worker's successor", `"worker":1`)
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the successor", func() bool { return s.get(t, "/").body != first })
}

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		n      int
		random float64
		want   int
	}{{0, 0.7, 0}, {1, 0, 1}, {9, 0.999, 9}, {1000, 0, 900}, {1000, 0.5, 1000}, {1000, 0.9999, 1099}, {1000, 0.25, 950}} {
		if got := pyapp.Spread(tt.n, tt.random); got != tt.want {
			t.Errorf("spread(%d, %v) = %d, want %d", tt.n, tt.random, got, tt.want)
		}
	}
}

func TestWorkersThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct {
		config pyapp.Config
		want   string
	}{
		{pyapp.Config{Workers: 3, MaxWorkers: 2}, "at most 2 workers are less than at least 3"},
		{pyapp.Config{MemorySoft: 2 << 30, MemoryHard: 1 << 30}, "the soft limit of memory, 2147483648 bytes, is above the hard one"},
		{pyapp.Config{Health: "health"}, `path "health" does not begin with a slash`},
	} {
		tt.config.App, tt.config.Dir = "good", "testdata/apps"
		pool, err := pyapp.Open(tt.config)
		if err == nil {
			pool.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Open = %v, want %s", err, tt.want)
		}
	}
}

func TestMoreWorkersThanTheDefault(t *testing.T) {
	config := pyapp.Config{App: "good:plain", Dir: "testdata/apps", MaxWorkers: 1}
	pool, err := pyapp.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if info := pool.Info(); info.Workers != 1 || info.MaxWorkers != 1 {
		t.Errorf("%d to %d workers, want 1", info.Workers, info.MaxWorkers)
	}
}
