package pyapp_test

import (
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// The limits of these tests: beyond what an interpreter has by itself.
const (
	softLimit = 100 << 20
	hardLimit = 200 << 20
)

func TestWorkerAboveTheSoftLimitIsReplaced(t *testing.T) {
	s := serveOpened(t, pyapp.Config{App: "greedy", MemorySoft: softLimit}, impatiently)
	first := s.get(t, "/pid").body
	if got := s.get(t, "/takes?150"); got.status != http.StatusOK {
		t.Errorf("status %d, want 200: the limit is soft", got.status)
	}
	eventually(t, "another worker", func() bool {
		got := s.get(t, "/pid")
		return got.status == http.StatusOK && got.body != first
	})
	s.log.Line(t, `"level":"INFO"`, "a worker is replaced", `"worker":1`, `"reason":"memory"`)
	s.log.Line(t, `"level":"INFO"`, "a worker ended", `"worker":1`, `"reason":"memory"`, `"exit":"status 0"`)
}

func TestWorkerAboveTheHardLimitIsEnded(t *testing.T) {
	s := serve(t, pyapp.Config{App: "greedy", Workers: 2, MemoryHard: hardLimit})
	var others sync.WaitGroup
	others.Go(func() {
		if got := s.get(t, "/sleeps?1.5"); got.status != http.StatusOK {
			t.Errorf("status %d beside a worker that is ended", got.status)
		}
	})
	eventually(t, "a request that is under way", func() bool { return pyapp.InFlight(s.Pool) == 1 })
	got := s.get(t, "/takes_and_stays?300")
	if got.status != http.StatusBadGateway {
		t.Errorf("status %d, want 502", got.status)
	}
	others.Wait()
	s.log.Line(t, "a worker has more memory than it may have", `"worker":`, `"memory":`, `"limit":209715200`)
	s.log.Line(t, "a request is lost with its worker", got.header.Get("X-Request-Id"), `"reason":"memory"`)
	s.log.Line(t, `"level":"ERROR"`, "a worker ended", `"reason":"memory"`, "killed")
	eventually(t, "another worker", func() bool { return takers(s) == 2 })
}

// A worker can grow without a request, and then nothing else has us look at it.
func TestWorkerThatGrowsWhileItIdlesIsEnded(t *testing.T) {
	s := serve(t, pyapp.Config{App: "greedy", MemoryHard: hardLimit})
	if got := s.get(t, "/takes_later?300"); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
	s.log.Line(t, "a worker has more memory than it may have", `"worker":1`)
	eventually(t, "another worker", func() bool { return takers(s) == 1 })
}

func TestPrivateMemory(t *testing.T) {
	size, err := pyapp.PrivateMemory(os.Getpid())
	if err != nil || size < 1<<20 || size > 4<<30 {
		t.Errorf("this process has %d bytes, %v", size, err)
	}
	if _, err := pyapp.PrivateMemory(1 << 30); err == nil {
		t.Error("a process that cannot be there has a size")
	}
}
