package pyapp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// atImport is the configuration of the application that does something hostile
// while it is imported; "" for nothing.
func atImport(act string, env ...string) pyapp.Config {
	return pyapp.Config{Dir: "testdata/apps", App: "hostile", Workers: 1, Env: append(append(os.Environ(), "AT_IMPORT="+act), env...)}
}

// A process that an application forks has the worker's sockets too: whatever it
// sent would be taken for the worker's.
func TestForkedProcessThatReturnsDoesNotAnswer(t *testing.T) {
	for path, body := range map[string]string{"/forks": "answer", "/forks_in_stream": "answer, and more"} {
		t.Run(path, func(t *testing.T) {
			s := serve(t, atImport(""))
			before := s.get(t, "/pid").body
			for range 5 {
				if got := s.get(t, path); got.status != http.StatusOK || got.body != body || got.err != nil {
					t.Errorf("status %d, body %q, error %v", got.status, got.body, got.err)
				}
			}
			s.log.Line(t, "a process that the application forked came back")
			if after := s.get(t, "/pid").body; after != before {
				t.Errorf("process %s answers instead of %s", after, before)
			}
			if log := s.log.String(); strings.Contains(log, "broke the protocol") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func TestDefaultTimeoutOfSocketsDoesNotEndWorkers(t *testing.T) {
	s := serve(t, atImport("default timeout"))
	before := s.get(t, "/pid").body
	idle := time.NewTimer(200 * time.Millisecond) // four times what the application sets
	defer idle.Stop()
	<-idle.C
	if after := s.get(t, "/pid").body; after != before {
		t.Errorf("process %s answers after a pause, want %s", after, before)
	}
}

func TestBoundOfBodiesHoldsForShortOnesWithoutLength(t *testing.T) {
	config := atImport("")
	config.MaxBody = 10
	s := serve(t, config)
	for size, status := range map[int]int{10: http.StatusOK, 11: http.StatusRequestEntityTooLarge} {
		// What net/http cannot tell the length of is sent in chunks.
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", size)))
		if got := s.do(t, request(t, http.MethodPost, s.url+"/length", body)); got.status != status {
			t.Errorf("%d bytes: status %d, want %d", size, got.status, status)
		}
	}
}

func TestProcessThatKeepsTheOutputOpenDoesNotHoldTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	pool, err := pyapp.Open(atImport("leaves a process", "PID_FILE="+file))
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- pool.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("closing waits for a process that the application left behind")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestApplicationThatReapsChildrenItself(t *testing.T) {
	s := serve(t, atImport("reaps children"))
	template := pyapp.TemplatePID(s.Pool)
	s.get(t, "/exits")
	s.log.Line(t, "a worker ended", `"exit":"unknown status"`)
	eventually(t, "a new worker", func() bool { return s.get(t, "/pid").status == http.StatusOK })
	if now := pyapp.TemplatePID(s.Pool); now != template {
		t.Errorf("the template is process %d, want %d still", now, template)
	}
}

func TestWorkerThatDoesNotEndIsEnded(t *testing.T) {
	s := serveOpened(t, atImport(""), func(c pyapp.Config) (*pyapp.Pool, error) {
		return pyapp.OpenWithExitWait(c, 100*time.Millisecond)
	})
	s.get(t, "/starts_thread")
	pid := pyapp.WorkerPID(s.Pool)
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.log.Line(t, "a worker does not end by itself", fmt.Sprintf(`"pid":%d`, pid))
	eventually(t, "the old worker's end", func() bool { return pyapp.Workers(s.Pool) == 1 })
}

func TestRequestThatIsLostIsInTheLog(t *testing.T) {
	s := serve(t, atImport(""))
	got := s.get(t, "/exits")
	s.log.Line(t, "a request is lost with its worker", got.header.Get("X-Request-Id"), `"path":"/exits"`, `"worker":1`)
}

func TestBodyThatCannotBeStored(t *testing.T) {
	config := atImport("")
	config.SpoolDir = filepath.Join(t.TempDir(), "gone")
	config.SpoolMemory = 1
	s := serve(t, config)

	got := s.do(t, request(t, http.MethodPost, s.url+"/length", strings.NewReader(strings.Repeat("x", 40000))))
	if got.status != http.StatusInternalServerError {
		t.Errorf("status %d for a request's body, want 500", got.status)
	}
	s.log.Line(t, `"level":"ERROR"`, got.header.Get("X-Request-Id"), "store the body")

	// A response without an end: its worker must not go on with it for ever.
	if got := s.get(t, "/endless"); got.err == nil {
		t.Error("a response that broke off reads as complete")
	}
	s.log.Line(t, "cannot store a response")
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d after that, want 200", got.status)
	}
}

func TestImportThatForksAndReturnsTwice(t *testing.T) {
	s := serve(t, atImport("forks"))
	s.log.Line(t, "a process that the import forked came back")
	for range 3 {
		if got := s.get(t, "/pid"); got.status != http.StatusOK {
			t.Errorf("status %d, want 200", got.status)
		}
	}
}

func TestTemplateThatEndsSoonIsReplacedSlowly(t *testing.T) {
	s := serveOpened(t, atImport("ends soon"), func(c pyapp.Config) (*pyapp.Pool, error) {
		return pyapp.OpenWithBackOff(c, 10*time.Millisecond)
	})
	ends := func() int { return strings.Count(s.log.String(), "the template process ended") }
	s.log.Line(t, "the template process ended", `"exit":"signal 14 (alarm clock)"`)
	begin := time.Now()
	eventually(t, "the end of the second template", func() bool { return ends() > 1 })
	if pause := time.Since(begin); pause < time.Second {
		t.Errorf("the next one after %v", pause)
	}
}

// A client that leaves does not take the time-out along: the application may
// never come back, and a few reloads of a page would hold every worker.
func TestRequestThatNobodyWaitsForIsEndedInTime(t *testing.T) {
	for _, path := range []string{"/sleeps?60", "/stuck_in_c?60", "/stalls?60"} {
		t.Run(path, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "bad", Timeout: 300 * time.Millisecond, StallTimeout: 300 * time.Millisecond})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				resp, err := http.DefaultTransport.RoundTrip(request(t, http.MethodGet, s.url+path, nil).WithContext(ctx))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body) // it ends with the context
					resp.Body.Close()
				}
			}()
			eventually(t, "a request that is under way", func() bool { return pyapp.InFlight(s.Pool) == 1 })
			// Its client is watched from a tenth of a second on.
			timer := time.NewTimer(150 * time.Millisecond)
			defer timer.Stop()
			<-timer.C
			cancel()
			<-gone
			if got := s.get(t, "/pid"); got.status != http.StatusOK {
				t.Errorf("status %d, want 200 from a new worker", got.status)
			}
			s.log.Line(t, "a worker ended", `"worker":1`, `"reason":"time-out"`)
		})
	}
}
