package pyapp_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// A process that is stopped does nothing, not even end when it is asked to.

func TestWorkerThatIsStopped(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain", Workers: 1, Timeout: 500 * time.Millisecond})
	stop := func() {
		t.Helper()
		if err := syscall.Kill(pyapp.WorkerPID(s.Pool), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if got := s.get(t, "/hello"); got.status != http.StatusOK {
		t.Errorf("status %d for a request that was not begun, want another worker's 200", got.status)
	}
	s.log.Line(t, "a worker ended", `"worker":1`, `"reason":"time-out"`, "killed")

	running := make(chan int)
	go func() { running <- s.get(t, "/sleeps?60").status }()
	eventually(t, "a request that has begun", func() bool { return hasBegun(s) })
	stop()
	if status := <-running; status != http.StatusGatewayTimeout {
		t.Errorf("status %d for a request that was under way, want 504", status)
	}
	if got := s.get(t, "/hello"); got.status != http.StatusOK {
		t.Errorf("status %d, want a new worker's 200", got.status)
	}
	s.log.Line(t, "a worker ended", `"worker":2`, `"reason":"time-out"`, "killed")
}

// Without an answer of the template no worker can be made, and none that has
// ended is known to have.
func TestTemplateThatIsStopped(t *testing.T) {
	s := serveOpened(t, pyapp.Config{App: "bad", Workers: 1, StartTimeout: 4 * time.Second}, func(c pyapp.Config) (*pyapp.Pool, error) {
		return pyapp.OpenWithBackOff(c, time.Millisecond)
	})
	template := pyapp.TemplatePID(s.Pool)
	if err := syscall.Kill(template, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Whoever serves goes on.
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
	if got := s.get(t, "/killed"); got.status != http.StatusBadGateway {
		t.Errorf("status %d, want 502", got.status)
	}
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d, want that of a worker of a new template", got.status)
	}
	s.log.Line(t, "the template process ended", "killed")
	if strings.Contains(s.log.String(), "crash loop") {
		t.Error("a template that is gone was taken for an application that crashes")
	}
	if now := pyapp.TemplatePID(s.Pool); now == template {
		t.Error("the template is the one that was stopped")
	}
}

// Without a template and with code that cannot be loaded there will be no worker.
func TestTemplateThatCannotBeReplaced(t *testing.T) {
	dir := t.TempDir()
	code := filepath.Join(dir, "app.py")
	writeFile(t, code, "def application(environ, start):\n    start('200 OK', [])\n    return [b'fine']\n")
	s := serveOpened(t, pyapp.Config{Dir: dir, App: "app", Env: append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")}, func(c pyapp.Config) (*pyapp.Pool, error) {
		return pyapp.OpenWithBackOff(c, time.Millisecond)
	})
	writeFile(t, code, "import gone_wrong\n# and of another length\n")
	for _, pid := range []int{pyapp.TemplatePID(s.Pool), pyapp.WorkerPID(s.Pool)} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the crash loop", func() bool { return s.Status().CrashLoop })
	s.log.Line(t, "cannot load the application", "gone_wrong")
	if got := s.get(t, "/"); got.status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", got.status)
	}
	writeFile(t, code, "def application(environ, start):\n    start('200 OK', [])\n    return [b'mended']\n")
	eventually(t, "the mended version", func() bool { return s.get(t, "/").body == "mended" })
}
