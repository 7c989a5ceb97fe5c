package pyapp_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// hasBegun reports whether a worker has had a request long enough to have begun it.
func hasBegun(s *site) bool {
	return slices.ContainsFunc(s.Status().Workers, func(w pyapp.WorkerStatus) bool {
		return len(w.Requests) > 0 && w.Requests[0].Running > 100*time.Millisecond
	})
}

func TestStatus(t *testing.T) {
	begin := time.Now()
	s := serve(t, pyapp.Config{App: "good:plain", Workers: 1})
	for range 3 {
		s.get(t, "/hello")
	}
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() { s.get(t, "/sleeps?0.5") })
	}
	eventually(t, "one request that waits", func() bool { return s.Status().Waiting == 1 })
	status := s.Status()
	if status.CrashLoop || status.Loaded.Before(begin) || len(status.Workers) != 1 {
		t.Fatalf("status %+v", status)
	}
	w := status.Workers[0]
	if w.Number != 1 || w.PID != pyapp.WorkerPID(s.Pool) || w.State != pyapp.Busy || w.Reason != pyapp.Running || w.Born.Before(begin) || w.Old || w.Served != 3 || w.Memory < 1<<20 {
		t.Errorf("worker %+v", w)
	}
	if len(w.Requests) != 1 {
		t.Fatalf("requests %+v", w.Requests)
	}
	if r := w.Requests[0]; len(r.ID) != 16 || r.Method != http.MethodGet || r.Path != "/sleeps" || r.Waited < 0 || r.Running < 0 || r.Running > time.Since(begin) {
		t.Errorf("request %+v", r)
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old version to drain", func() bool {
		workers := s.Status().Workers
		return len(workers) == 2 && workers[0].Old && workers[0].State == pyapp.Draining && workers[0].Reason == pyapp.Reloaded && !workers[1].Old
	})
	load.Wait()
}

// As long as an older worker serves, requests are answered; that it does says
// nothing about the new ones.
func TestCrashLoopBesideAWorkerThatServes(t *testing.T) {
	config, marker := marked(t, "stillborn")
	config.Workers = 2
	s := serveOpened(t, config, func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, time.Millisecond) })
	s.get(t, "/")
	writeFile(t, marker, "")
	if err := syscall.Kill(pyapp.WorkerPID(s.Pool), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the crash loop", func() bool { return s.Status().CrashLoop })
	for range 20 {
		if got := s.get(t, "/"); got.status != http.StatusOK {
			t.Errorf("status %d", got.status)
		}
	}
	if !s.Status().CrashLoop || strings.Contains(s.log.String(), "out of its crash loop") {
		t.Error("a worker that has served all along ended the crash loop")
	}
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second worker", func() bool { return takers(s) == 2 })
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() { s.get(t, "/?0.3") })
	}
	load.Wait()
	s.log.Line(t, "the application is out of its crash loop")
}

// Requests that came before anybody knew of the crash loop do not wait it out.
func TestCrashLoopRefusesWhatWaits(t *testing.T) {
	config, marker := marked(t, "stillborn")
	config.QueueWait = -1
	s := serveOpened(t, config, func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, 10*time.Millisecond) })
	pid := pyapp.WorkerPID(s.Pool)
	statuses := make(chan int, 3)
	for range cap(statuses) {
		go func() { statuses <- s.get(t, "/?60").status }()
	}
	eventually(t, "a request that has begun, and two that wait", func() bool { return s.Status().Waiting == 2 && hasBegun(s) })
	writeFile(t, marker, "")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	counts := map[int]int{}
	for range cap(statuses) {
		counts[<-statuses]++
	}
	if counts[http.StatusBadGateway] != 1 || counts[http.StatusServiceUnavailable] != 2 {
		t.Errorf("answers by status: %v, want one 502 and two 503", counts)
	}
}

// A crash loop is told once, refuses requests at once, and heals by a reload or
// when a worker serves again.
func TestCrashLoopCanBeSeen(t *testing.T) {
	for _, heal := range []string{"reload", "by itself"} {
		t.Run(heal, func(t *testing.T) {
			config, marker := marked(t, "moody")
			s := serveOpened(t, config, func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, time.Millisecond) })
			writeFile(t, marker, "")
			s.get(t, "/")
			eventually(t, "the crash loop", func() bool { return s.Status().CrashLoop })
			s.log.Line(t, "the application is in a crash loop")
			begin := time.Now()
			if got := s.get(t, "/"); got.status != http.StatusServiceUnavailable || time.Since(begin) > time.Second {
				t.Errorf("status %d after %v, want 503 at once", got.status, time.Since(begin))
			}
			if err := os.Remove(marker); err != nil {
				t.Fatal(err)
			}
			if heal == "reload" {
				if err := s.Reload(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := s.get(t, "/"); got.status != http.StatusOK || s.Status().CrashLoop {
					t.Errorf("status %d, %+v after a reload", got.status, s.Status())
				}
				return
			}
			eventually(t, "the application to come back", func() bool { return s.get(t, "/").status == http.StatusOK })
			s.log.Line(t, "the application is out of its crash loop")
			if s.Status().CrashLoop {
				t.Error("it is out of its crash loop, and is not")
			}
		})
	}
}
