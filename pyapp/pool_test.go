package pyapp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestOpenSaysWhyAnApplicationCannotStart(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		config pyapp.Config
		error  string
		hint   string
		trace  string
	}{
		{
			name: "module not installed", files: map[string]string{"blog/__init__.py": "", "blog/wsgi.py": "import os\n\nimport no_such_requirement\n"},
			config: pyapp.Config{App: "blog.wsgi"},
			error:  "cannot start shop: blog/wsgi.py:3: ModuleNotFoundError: No module named 'no_such_requirement'",
			hint:   "looked with python3; is the requirement installed in that environment?", trace: "import no_such_requirement",
		},
		{
			name: "no such module", config: pyapp.Config{App: "nothing:app"},
			error: "cannot start shop: ModuleNotFoundError: No module named 'nothing'", hint: "looked for nothing in ",
		},
		{
			name: "syntax error", files: map[string]string{"app.py": "x = 1\ny = (\n"}, config: pyapp.Config{App: "app"},
			error: "cannot start shop: app.py:2: SyntaxError: '(' was never closed", trace: "y = (",
		},
		{
			name: "raises", files: map[string]string{"app.py": "def f():\n    raise RuntimeError('no database')\nf()\n"}, config: pyapp.Config{App: "app"},
			error: "cannot start shop: app.py:2: RuntimeError: no database", trace: "line 3",
		},
		{
			name: "no such callable", files: map[string]string{"app.py": "wsgi = 1\n"}, config: pyapp.Config{App: "app:create"},
			error: "cannot start shop: AttributeError: module 'app' has no attribute 'create'",
		},
		{
			name: "not callable", files: map[string]string{"app.py": "application = 1\n"}, config: pyapp.Config{App: "app"},
			error: "cannot start shop: TypeError: app is not callable but int",
		},
		{
			name: "factory that fails", files: map[string]string{"app.py": "def create(debug): pass\n"}, config: pyapp.Config{App: "app:create()"},
			error: "cannot start shop: TypeError: create() missing 1 required positional argument: 'debug'",
		},
		{
			name: "factory of nothing", files: map[string]string{"app.py": "def create(): pass\n"}, config: pyapp.Config{App: "app:create()"},
			error: "cannot start shop: TypeError: app:create() is not callable but NoneType",
		},
		{
			name: "exits", files: map[string]string{"app.py": "raise SystemExit('usage: app')\n"}, config: pyapp.Config{App: "app"},
			error: "cannot start shop: app.py:1: SystemExit: usage: app",
		},
		{
			name: "kills its process", files: map[string]string{"app.py": "import os\nos.kill(os.getpid(), 9)\n"}, config: pyapp.Config{App: "app"},
			error: "cannot start shop: the interpreter ended with signal 9 (killed)",
		},
		{
			name: "no such interpreter", files: map[string]string{"app.py": ""}, config: pyapp.Config{App: "app", Python: "/nowhere/python3"},
			error: "cannot start shop: /nowhere/python3: no such file or directory",
		},
		{
			name: "no such folder", config: pyapp.Config{App: "app", Dir: "/nowhere/at/all"},
			error: "cannot start shop: /nowhere/at/all: no such file or directory",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tt.config.Name = "shop"
			if tt.config.Dir == "" {
				tt.config.Dir = dir
			}
			pool, err := pyapp.Open(tt.config)
			if err == nil {
				pool.Close()
				t.Fatal("it starts")
			}
			e, ok := errors.AsType[*pyapp.StartError](err)
			if !ok {
				t.Fatalf("error is a %T: %v", err, err)
			}
			if e.Error() != tt.error {
				t.Errorf("error %q\nwant  %q", e, tt.error)
			}
			if !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", e.Hint, tt.hint)
			}
			if !strings.Contains(e.Traceback, tt.trace) {
				t.Errorf("traceback without %q:\n%s", tt.trace, e.Traceback)
			}
			if strings.Contains(e.Traceback, "<gatehouse>") {
				t.Errorf("a traceback through our own code:\n%s", e.Traceback)
			}
		})
	}
}

func TestWorkerThatDiesIsReplaced(t *testing.T) {
	for _, path := range []string{"/killed", "/exits", "/sends_nonsense"} {
		t.Run(path, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "bad"})
			first := s.get(t, "/pid").body
			if got := s.get(t, path); got.status != http.StatusBadGateway {
				t.Errorf("status %d, want 502", got.status)
			}
			got := s.get(t, "/pid")
			if got.status != 200 || got.body == first {
				t.Errorf("status %d, process %s, want another one than %s", got.status, got.body, first)
			}
			s.log.Line(t, "a worker ended", `"worker":1`)
		})
	}
}

func TestWorkersKilledAgainAndAgain(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	for i := range 6 {
		if got := s.get(t, "/pid"); got.status != 200 {
			t.Fatalf("after %d deaths: status %d; an application that can serve is not given up", i, got.status)
		}
		if got := s.get(t, "/killed"); got.status != http.StatusBadGateway {
			t.Errorf("status %d, want 502", got.status)
		}
	}
}

func TestRequestsThatNoWorkerHasBegunSurviveItsDeath(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	for range 50 {
		s.get(t, "/pid") // so fast an application gets several requests at once
	}
	var wg sync.WaitGroup
	statuses := make([]int, 40)
	for i := range statuses {
		wg.Go(func() {
			path := "/pid"
			if i%10 == 5 {
				path = "/killed"
			}
			statuses[i] = s.get(t, path).status
		})
	}
	wg.Wait()
	for i, status := range statuses {
		if want := map[bool]int{true: 502, false: 200}[i%10 == 5]; status != want {
			t.Errorf("request %d: status %d, want %d", i, status, want)
		}
	}
}

func TestSlowRequestDoesNotHoldOthers(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", Workers: 2})
	for range 200 {
		s.get(t, "/pid")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		r := request(t, http.MethodGet, s.url+"/sleeps?5", nil).WithContext(ctx)
		if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
	})
	var slowest time.Duration
	for range 20 {
		var inner sync.WaitGroup
		for range 10 {
			inner.Go(func() { s.get(t, "/pid") })
		}
		begin := time.Now()
		inner.Wait()
		slowest = max(slowest, time.Since(begin))
	}
	if slowest > 2*time.Second {
		t.Errorf("a fast request took %v beside a slow one", slowest)
	}
	cancel()
	wg.Wait()
}

func TestQueueIsBounded(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", QueuePerWorker: 2, QueueWait: 200 * time.Millisecond})
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 6 {
		wg.Go(func() {
			got := s.get(t, "/sleeps?1")
			if got.status == 503 && got.header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
			mu.Lock()
			defer mu.Unlock()
			counts[got.status]++
		})
	}
	wg.Wait()
	// One runs; two wait too long; three find the queue full.
	if counts[200] != 1 || counts[503] != 5 {
		t.Errorf("answers by status: %v, want one 200 and five 503", counts)
	}
}

func TestCrashLoopFailsTheApplicationOnly(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "broken")
	config := pyapp.Config{App: "moody", Env: append(os.Environ(), "MARKER="+marker)}
	s := serveOpened(t, config, func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, time.Millisecond) })
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.get(t, "/") // ends its worker, and no new one stays
	eventually(t, "503", func() bool { return s.get(t, "/").status == http.StatusServiceUnavailable })
	s.log.Line(t, "cannot start a worker", "before it was ready")
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the application to come back", func() bool { return s.get(t, "/").status == 200 })
}

func TestSlowRequestIsReportedWithItsStack(t *testing.T) {
	tests := []struct {
		name, path string
		stack      string
	}{
		{"in Python", "/sleeps?1", `bad.py\", line `},
		{"in C", "/stuck_in_c?1", `bad.py\", line `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "bad", Slow: 100 * time.Millisecond})
			got := s.get(t, tt.path)
			if got.status != 200 {
				t.Errorf("status %d", got.status)
			}
			s.log.Line(t, "a request is slow", `"request":"`+got.header.Get("X-Request-Id")+`"`, `"path":"`+strings.Split(tt.path, "?")[0]+`"`, `"worker":1`, tt.stack)
		})
	}
}

func TestOverdueRequestIsInterrupted(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", Timeout: 200 * time.Millisecond})
	first := s.get(t, "/pid").body
	got := s.get(t, "/sleeps?60")
	if got.status != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 504", got.status)
	}
	s.log.Line(t, "a request is given up", got.header.Get("X-Request-Id"))
	s.log.Line(t, "the application raised an exception", "Overdue", "time.sleep")
	if second := s.get(t, "/pid"); second.status != 200 || second.body == first {
		t.Errorf("status %d from process %s; want a fresh one", second.status, second.body)
	}
	s.log.Line(t, "a worker ended", `"reason":"time-out"`, `"exit":"status 0"`)
}

func TestRequestThatDoesNotComeBackIsEnded(t *testing.T) {
	for _, path := range []string{"/catches_everything?60", "/stuck_in_c?60"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := serve(t, pyapp.Config{App: "bad", Timeout: 200 * time.Millisecond})
			if got := s.get(t, path); got.status != http.StatusGatewayTimeout {
				t.Errorf("status %d, want 504", got.status)
			}
			if got := s.get(t, "/pid"); got.status != 200 {
				t.Errorf("status %d, want a new worker's 200", got.status)
			}
			s.log.Line(t, "a worker ended", `"reason":"time-out"`, "killed")
		})
	}
}

func TestStalledStreamIsBrokenOff(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", StallTimeout: 200 * time.Millisecond})
	if got := s.get(t, "/stalls?60"); got.err == nil || got.body != "begun" {
		t.Errorf("body %q, error %v; want it broken off after its first block", got.body, got.err)
	}
}

func TestIterableIsClosedWhenTheClientLeaves(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1, ResponseSpool: 1 << 20, SpoolMemory: 64 << 10, SpoolDir: t.TempDir()})
	resp, err := http.DefaultTransport.RoundTrip(request(t, http.MethodGet, s.url+"/closing_endless", nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := s.get(t, "/what_was_closed"); got.body != "closing_endless" {
		t.Errorf("closed %q", got.body)
	}
}

func TestSlowClientHoldsNoWorker(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1, SpoolMemory: 64 << 10, SpoolDir: t.TempDir()})
	resp, err := http.DefaultTransport.RoundTrip(request(t, http.MethodGet, s.url+"/generated", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	// Nothing of the 5 MB is read, and yet the one worker is free.
	if got := s.get(t, "/hello"); got.status != 200 {
		t.Errorf("status %d", got.status)
	}
	n := 0
	buf := make([]byte, 64<<10)
	for {
		m, err := resp.Body.Read(buf)
		if n += m; err != nil {
			break
		}
	}
	if n != 5000000 {
		t.Errorf("%d bytes, want all of them", n)
	}
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	version := func(n int) string {
		return fmt.Sprintf("def application(environ, start):\n    start('200 OK', [])\n    return [b'version %d']\n", n)
	}
	write(version(1))
	s := serve(t, pyapp.Config{Dir: dir, App: "app", Env: append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")})

	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := s.get(t, "/"); got.status != 200 {
					t.Errorf("status %d while reloading", got.status)
				}
			}
		})
	}
	write(version(2) + "# longer\n")
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, "/"); got.body != "version 2" {
		t.Errorf("after the reload: %q", got.body)
	}
	write("import gone_wrong\n")
	err := s.Reload(t.Context())
	if e, ok := errors.AsType[*pyapp.StartError](err); !ok || e.Path != "app.py" || e.Line != 1 {
		t.Errorf("reload of a broken version: %v", err)
	}
	if got := s.get(t, "/"); got.body != "version 2" {
		t.Errorf("after the failed reload: %q", got.body)
	}
	close(stop)
	load.Wait()
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1})
	answers := make(chan int, 3)
	for range 3 {
		go func() { answers <- s.get(t, "/sleeps?0.3").status }()
	}
	eventually(t, "a request that is under way", func() bool { return pyapp.Waiting(s.Pool) == 2 })
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for range 3 {
		if status := <-answers; status != 200 {
			t.Errorf("status %d for a request that was under way", status)
		}
	}
	if got := s.get(t, "/hello"); got.status != 503 {
		t.Errorf("status %d after the shutdown, want 503", got.status)
	}
}

func TestShutdownServesWhatWaitsBehindASlowRequest(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1})
	for range 50 {
		s.get(t, "/hello") // that is fast: more are sent to a worker that is busy
	}
	answers := make(chan int, 4)
	go func() { answers <- s.get(t, "/sleeps?0.5").status }()
	eventually(t, "a request that is under way", func() bool { return pyapp.InFlight(s.Pool) == 1 })
	for range 3 {
		go func() { answers <- s.get(t, "/hello").status }()
	}
	eventually(t, "requests behind it", func() bool { return pyapp.InFlight(s.Pool)+pyapp.Waiting(s.Pool) == 4 })
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for range 4 {
		if status := <-answers; status != 200 {
			t.Errorf("status %d for a request that was under way", status)
		}
	}
}

// stuckClient is a client that takes nothing: Write waits for the test's end.
type stuckClient struct {
	http.ResponseWriter
	writes, ended chan struct{}
}

func (c stuckClient) Write(b []byte) (int, error) {
	close(c.writes)
	<-c.ended
	return 0, http.ErrHandlerTimeout
}

func TestCloseDoesNotWaitForAClient(t *testing.T) {
	s := openSite(t, pyapp.Config{App: "good", SpoolMemory: 1, ResponseSpool: 1}, pyapp.Open)
	client := stuckClient{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	var handler sync.WaitGroup
	handler.Go(func() { s.ServeHTTP(client, httptest.NewRequest(http.MethodGet, "/closing_endless", nil)) })
	defer handler.Wait()
	defer close(client.ended)
	<-client.writes
	eventually(t, "a worker that waits for the client", func() bool { return pyapp.IsHeldUp(s.Pool) })
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("closing waits for a client that does not read")
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1})
	answer := make(chan int)
	go func() { answer <- s.get(t, "/sleeps?60").status }()
	eventually(t, "a request that is under way", func() bool { return pyapp.InFlight(s.Pool) == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if status := <-answer; status != 502 {
		t.Errorf("status %d for the request that was cut off, want 502", status)
	}
}

func TestThreads(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Workers: 1, Threads: 4})
	begin := time.Now()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { s.get(t, "/sleeps?0.5") })
	}
	wg.Wait()
	if took := time.Since(begin); took > 1500*time.Millisecond {
		t.Errorf("four requests of half a second took %v in four threads", took)
	}
	if got := s.get(t, "/echo_environ"); !strings.Contains(got.body, "wsgi.multithread=True") {
		t.Errorf("environ: %s", got.body)
	}
}

func TestWithoutPreload(t *testing.T) {
	tests := []struct {
		name   string
		config pyapp.Config
		log    string
	}{
		{"as configured", pyapp.Config{App: "good", NoPreload: true}, ""},
		{"because of threads", pyapp.Config{App: "threaded"}, "importing the application started 1 threads"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Workers = 2
			s := serve(t, tt.config)
			if got := s.get(t, "/hello"); got.status != 200 {
				t.Errorf("status %d", got.status)
			}
			if !strings.Contains(s.log.String(), tt.log) {
				t.Errorf("the log lacks %q", tt.log)
			}
		})
	}
}

func TestTemplateThatDiesIsReplaced(t *testing.T) {
	s := serveOpened(t, pyapp.Config{App: "good"}, func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, time.Millisecond) })
	before := s.get(t, "/pid").body
	if err := syscall.Kill(pyapp.TemplatePID(s.Pool), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.log.Line(t, "the template process ended")
	eventually(t, "workers of a new template", func() bool { return s.get(t, "/pid").body != before })
}

// Whoever does not want to wait for an import any more need not.
func TestOpenContext(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte("import time\nprint('importing', flush=True)\ntime.sleep(3600)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &testserver.Log{}
	opened := make(chan error, 1)
	go func() {
		_, err := pyapp.OpenContext(ctx, pyapp.Config{Dir: dir, App: "app", Log: slog.New(slog.NewJSONHandler(log, nil))})
		opened <- err
	}()
	log.Line(t, "importing")
	cancel()
	select {
	case err := <-opened:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("open = %v, want that it was cancelled", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the import is still waited for")
	}
}
