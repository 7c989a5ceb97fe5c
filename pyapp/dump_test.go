package pyapp_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestStacksOfAllWorkers(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		threads    int
		want       []string
	}{
		{"in Python", "/sleeps?2", 1, []string{"MainThread, request ", " GET /sleeps", "bad.py\", line ", "time.sleep"}},
		{"in a thread", "/sleeps?2", 2, []string{"lane-", ", request ", " GET /sleeps", "bad.py\", line ", "waits for a request", "MainThread\n"}},
		{"in C", "/stuck_in_c?2", 1, []string{"bad.py\", line ", "in stuck_in_c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "bad", Workers: 2, Threads: tt.threads})
			var load sync.WaitGroup
			load.Go(func() {
				if got := s.get(t, tt.path); got.status != http.StatusOK {
					t.Errorf("status %d of a request that was looked at", got.status)
				}
			})
			running := func() []pyapp.WorkerStatus {
				var busy []pyapp.WorkerStatus
				for _, w := range s.Status().Workers {
					// What it reads of the request must have reached it.
					if len(w.Requests) > 0 && w.Requests[0].Running > 50*time.Millisecond {
						busy = append(busy, w)
					}
				}
				return busy
			}
			eventually(t, "a request that runs", func() bool { return len(running()) == 1 })
			busy := running()[0]
			for range 3 {
				all := s.Stacks(t.Context())
				if len(all) != 2 {
					t.Fatalf("%d workers, want 2", len(all))
				}
				for _, w := range all {
					if w.PID != busy.PID {
						if !strings.Contains(w.Text, "waits for a request") || strings.Contains(w.Text, "<string>") || len(w.Requests) > 0 {
							t.Errorf("idle worker with %d requests:\n%s", len(w.Requests), w.Text)
						}
						continue
					}
					if w.Worker != busy.Number || len(w.Requests) != 1 || w.Requests[0].ID != busy.Requests[0].ID || w.Requests[0].Path != strings.Split(tt.path, "?")[0] {
						t.Errorf("worker %+v, want %+v", w, busy)
					}
					for _, want := range tt.want {
						if !strings.Contains(w.Text, want) {
							t.Errorf("stacks lack %q:\n%s", want, w.Text)
						}
					}
				}
			}
			load.Wait()
		})
	}
}

func TestStacksOfAWorkerThatDoesNotTell(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	pid := pyapp.WorkerPID(s.Pool)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if all := s.Stacks(t.Context()); len(all) != 1 || all[0].PID != pid || all[0].Text != "" {
		t.Errorf("stacks %+v of a process that is stopped", all)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if all := s.Stacks(ended); len(all) != 1 || all[0].Text != "" {
		t.Errorf("stacks %+v", all)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// The answers to both come now, late: they must not disturb anything.
	eventually(t, "an answer", func() bool {
		all := s.Stacks(t.Context())
		return len(all) == 1 && strings.Contains(all[0].Text, "waits for a request")
	})
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
}
