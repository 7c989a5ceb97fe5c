package pyapp_test

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestHealthCheckAtTheStart(t *testing.T) {
	tests := []struct {
		name, health, state string
		want                string // the error, up to the worker's number and from there on; "" for none
		hint, trace         string
	}{
		{name: "fine", health: "/health"},
		{name: "with a query", health: "/health?deep=1"},
		{name: "moved", health: "/health", state: "302 Found"},
		{
			name: "status", health: "/health", state: "500 Broken",
			want: "/health answered 500, not 2xx or 3xx", hint: "the log has more about request ",
		},
		{
			name: "not found", health: "/health", state: "404 Not Found",
			want: "/health answered 404, not 2xx or 3xx", hint: "the log has more about request ",
		},
		{
			name: "raises", health: "/health", state: "raise",
			want: "ValueError: the database is gone", trace: "in health",
		},
		{
			name: "dies", health: "/health", state: "exit",
			want: "/health: the worker ended", hint: "the log has more about request ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, marker := marked(t, "healthy")
			config.Dir, config.Name, config.Workers, config.Health = "testdata/apps", "shop", 2, tt.health
			log := &testserver.Log{}
			config.Log = slog.New(slog.NewJSONHandler(log, nil))
			if tt.state != "" {
				writeFile(t, marker, tt.state)
			}
			pool, err := pyapp.Open(config)
			if err == nil {
				pool.Close()
			}
			if tt.want == "" {
				if err != nil {
					t.Errorf("Open = %v", err)
				}
				return
			}
			e, ok := errors.AsType[*pyapp.StartError](err)
			if !ok {
				t.Fatalf("Open = %v, want a StartError", err)
			}
			if got := e.Error(); !strings.HasPrefix(got, "cannot start shop: health check of worker ") || !strings.HasSuffix(got, tt.want) {
				t.Errorf("error %q, want it to end in %q", got, tt.want)
			}
			// One worker tells what is broken, and its end is no news.
			if n := strings.Count(log.String(), "asked by"); n != 1 || tt.state != "exit" && strings.Contains(log.String(), "a worker ended") {
				t.Errorf("log with %d questions:\n%s", n, log)
			}
			if !strings.HasPrefix(e.Hint, tt.hint) || !strings.Contains(e.Traceback, tt.trace) {
				t.Errorf("hint %q, traceback %q; want %q and %q", e.Hint, e.Traceback, tt.hint, tt.trace)
			}
		})
	}
}

// A time limit that is off is none, rather than one that is over at once.
func TestStartWithoutATimeLimit(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain", StartTimeout: -1, QueueWait: -1})
	answers := make(chan int, 2)
	for range cap(answers) {
		go func() { answers <- s.get(t, "/sleeps?0.2").status }()
	}
	for range cap(answers) {
		if status := <-answers; status != http.StatusOK {
			t.Errorf("status %d, want 200 for what waits as well", status)
		}
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestHealthCheckHasATimeLimit(t *testing.T) {
	pool, err := pyapp.Open(pyapp.Config{App: "bad", Dir: "testdata/apps", Workers: 1, Health: "/sleeps?60", StartTimeout: 3 * time.Second})
	if err == nil {
		pool.Close()
	}
	if err == nil || !strings.HasSuffix(err.Error(), "/sleeps?60 was not answered in time") {
		t.Errorf("Open = %v", err)
	}
}

// Every worker is asked before it gets requests, as a client on this machine.
func TestHealthCheckAsksEveryWorker(t *testing.T) {
	config, _ := marked(t, "healthy")
	config.Workers, config.Health, config.Mount = 3, "/health", "/shop"
	s := serve(t, config)
	for _, worker := range []string{`"worker":1`, `"worker":2`, `"worker":3`} {
		s.log.Line(t, "asked by Gatehouse-Health for localhost /shop/health", worker, `"request":`)
	}
	if got := s.get(t, "/shop/"); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
	if n := strings.Count(s.log.String(), "asked by"); n != 3 {
		t.Errorf("asked %d times, want once each", n)
	}
}

func TestReloadThatIsNotInGoodHealthChangesNothing(t *testing.T) {
	config, marker := marked(t, "healthy")
	config.Health = "/health"
	s := serve(t, config)
	before := s.get(t, "/").body
	writeFile(t, marker, "503 Later")
	e, ok := errors.AsType[*pyapp.StartError](s.Reload(t.Context()))
	if !ok || !strings.HasSuffix(e.Error(), "/health answered 503, not 2xx or 3xx") {
		t.Errorf("Reload = %v", e)
	}
	if after := s.get(t, "/").body; after != before {
		t.Errorf("process %s answers, want %s", after, before)
	}
	eventually(t, "the end of the new version", func() bool { return pyapp.Workers(s.Pool) == 1 })
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Errorf("Reload = %v in good health", err)
	}
	if after := s.get(t, "/").body; after == before {
		t.Error("the old process answers after the reload")
	}
}

// What the code needs may be down for a while. Workers are replaced all the same.
func TestReplacementIsNotAskedForItsHealth(t *testing.T) {
	config, marker := marked(t, "healthy")
	config.Health = "/health"
	s := serve(t, config)
	writeFile(t, marker, "exit")
	if got := s.get(t, "/health"); got.status != http.StatusBadGateway {
		t.Errorf("status %d, want 502", got.status)
	}
	if got := s.get(t, "/"); got.status != http.StatusOK {
		t.Errorf("status %d, want a new worker's 200", got.status)
	}
}
