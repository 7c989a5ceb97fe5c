package webapps_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// beside has every application have these processes.
func beside(list ...webapps.Process) func(*webapps.Config) {
	return func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			app := webapps.App{Processes: list}
			app.WSGI.Env, app.CGI.Env = []string{"MINE=yes"}, []string{"MINE=yes"}
			return app, nil
		}
	}
}

// lines waits until the file at path has so many lines, and returns them.
func lines(t testing.TB, path string, n int) []string {
	t.Helper()
	var all []string
	testserver.Eventually(t, fmt.Sprintf("%s has %d lines", filepath.Base(path), n), func() bool {
		text, err := os.ReadFile(path)
		all = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		return err == nil && strings.HasSuffix(string(text), "\n") && len(all) >= n
	})
	return all
}

// gone waits until a process has ended.
func gone(t testing.TB, pid string) {
	t.Helper()
	testserver.Eventually(t, "process "+pid+" has ended", func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ") // not reaped yet by whose child it is now
	})
}

// TestProcesses: what runs beside an application has its environment, folder and
// log, begins when the code does, ends with it, and never runs twice.
func TestProcesses(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), hello("old"))
	worker := webapps.Process{Name: "worker", Command: `sleep 1000 & echo $! >>"$GATEHOUSE_DATA/children"
trap 'echo end >>"$GATEHOUSE_DATA/told"; exit' TERM
echo "begin $MINE $(cat app.py | grep -o 'old\|new')" >>"$GATEHOUSE_DATA/told"
echo hello; echo trouble >&2
while :; do wait; done`}
	job := webapps.Process{Name: "job", Command: "true", Cron: "*/5 * * * *"}
	h := open(t, dir, beside(worker, job))
	told := filepath.Join(dir, ".gatehouse/data/blog/told")
	if got := lines(t, told, 1); got[0] != "begin yes old" {
		t.Errorf("it begins with %q", got)
	}
	s := h.awaits("blog", "has a worker", func(s webapps.Status) bool {
		return len(s.Processes) == 2 && s.Processes[0].PID != 0 && !s.Processes[1].Next.IsZero()
	})
	if p := s.Processes[0]; p.Name != "worker" || p.Runs != 1 || p.Since.IsZero() || !p.Next.IsZero() || p.Last != "" {
		t.Errorf("the worker is %+v", p)
	}
	if p := s.Processes[1]; p.PID != 0 || p.Runs != 0 || p.Next.Minute()%5 != 0 || p.Next.Before(time.Now()) || time.Until(p.Next) > 5*time.Minute {
		t.Errorf("the job is %+v", p)
	}
	testserver.Eventually(t, "what it prints is in the log", func() bool {
		log := h.log.String()
		return strings.Contains(log, "app=/blog process=worker output=hello") && strings.Contains(log, "app=/blog process=worker output=trouble")
	})

	write(t, filepath.Join(dir, "blog"), hello("new"))
	if got := lines(t, told, 3); got[1] != "end" || got[2] != "begin yes new" {
		t.Errorf("over a deployment: %q", got)
	}
	children := lines(t, filepath.Join(dir, ".gatehouse/data/blog/children"), 2)
	gone(t, children[0])
	write(t, filepath.Join(dir, "blog"), tree{"app.py": "1 / 0\n"})
	h.awaits("blog", "has failed", func(s webapps.Status) bool { return s.Failure != nil })
	if got := lines(t, told, 3); len(got) != 3 {
		t.Errorf("after a deployment that has failed: %q", got)
	}
	if err := h.Stop(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	lines(t, told, 4)
	gone(t, children[1])
	h.close()
}

// TestProcessDeaf: who does not end at SIGTERM is ended, when the server ends too.
func TestProcessDeaf(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), page("files"))
	deaf := webapps.Process{Name: "deaf", Command: `trap '' TERM; echo $$ >>"$GATEHOUSE_DATA/pid"; while :; do sleep 1000; done`}
	h := open(t, dir, beside(deaf), func(c *webapps.Config) { c.ProcessGrace = 50 * time.Millisecond })
	pid := filepath.Join(dir, ".gatehouse/data/blog/pid")
	first := lines(t, pid, 1)[0]
	if err := h.Reload(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	second := lines(t, pid, 2)[1]
	gone(t, first)
	h.close()
	gone(t, second)
}

// lastWords is a process that has something to do when it is told to end, which
// waits for what the returned function says.
func lastWords(t *testing.T, data string) (p webapps.Process, goOn func()) {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf(`trap 'echo told >>"$GATEHOUSE_DATA/words"; read word <%s; echo $word >>"$GATEHOUSE_DATA/words"; exit' TERM
echo $$ >>"$GATEHOUSE_DATA/words"
while :; do sleep 1000 & wait; done`, fifo)
	return webapps.Process{Name: "slow", Command: command}, func() {
		lines(t, filepath.Join(data, "words"), 2)
		f, err := os.OpenFile(fifo, os.O_RDWR, 0) // waits for nobody
		if err == nil {
			_, err = f.WriteString("goodbye\n")
			t.Cleanup(func() { _ = f.Close() })
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// TestProcessGrace: when the server ends, who runs beside an application has its
// grace, even if requests have used up all their time, unless somebody is in a hurry.
func TestProcessGrace(t *testing.T) {
	for _, tt := range []struct {
		name           string
		stopped, hurry bool
	}{
		{"that runs", false, false},
		{"that is stopped already", true, false},
		{"that runs, in a hurry", false, true},
		{"that is stopped already, in a hurry", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testserver.NoLeaks(t)
			dir := t.TempDir()
			data := filepath.Join(dir, ".gatehouse/data/blog")
			write(t, filepath.Join(dir, "blog"), page("files"))
			slow, goOn := lastWords(t, data)
			h := open(t, dir, beside(slow), func(c *webapps.Config) { c.ProcessGrace = time.Hour })
			pid := lines(t, filepath.Join(data, "words"), 1)[0]
			if tt.stopped {
				if err := h.Stop(t.Context(), named(t, "blog")); err != nil {
					t.Fatal(err)
				}
				lines(t, filepath.Join(data, "words"), 2)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 0)
			if tt.hurry {
				ctx, cancel = context.WithCancel(context.Background())
				cancel()
			}
			defer cancel()
			closed := make(chan error, 1)
			go func() { closed <- h.Close(ctx) }()
			if !tt.hurry {
				goOn()
			}
			if err := testserver.Receive(t, "the end", closed); err != nil {
				t.Error(err)
			}
			gone(t, pid)
			text, err := os.ReadFile(filepath.Join(data, "words"))
			if err != nil || strings.HasSuffix(string(text), "told\ngoodbye\n") == tt.hurry {
				t.Errorf("it says %q, %v", text, err)
			}
		})
	}
}

// TestProcessRestarts: what ends is started again, and how it ended is told.
func TestProcessRestarts(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), page("files"))
	h := open(t, dir, beside(webapps.Process{Name: "brief", Command: "exit 3"}))
	s := h.awaits("blog", "was started again", func(s webapps.Status) bool {
		p := s.Processes[0]
		return p.Runs > 1 && p.PID == 0 && !p.Next.IsZero() // which comes last
	})
	if p := s.Processes[0]; p.Last != "exit status 3" || p.Next.IsZero() {
		t.Errorf("it is %+v", p)
	}
	if log := h.log.String(); !strings.Contains(log, `level=ERROR msg="process failed" app=/blog process=brief`) {
		t.Error("its end is not in the log")
	}
}

// TestProcessStatus: what is told of a process follows from what it did.
func TestProcessStatus(t *testing.T) {
	now := time.Now()
	always, job := webapps.Process{Name: "worker"}, webapps.Process{Name: "job", Cron: "* * * * *"}
	for _, tt := range []struct {
		name     string
		status   webapps.ProcessStatus
		state    webapps.ProcessState
		restarts int
		exit     string
		failing  bool
	}{
		{"before its first run", webapps.ProcessStatus{Process: always}, webapps.ProcessStarting, 0, "", false},
		{"running", webapps.ProcessStatus{Process: always, PID: 7, Runs: 1, Since: now}, webapps.ProcessRunning, 0, "", false},
		{"ended well", webapps.ProcessStatus{Process: always, Runs: 1, Next: now}, webapps.ProcessRestarting, 0, "exit status 0", false},
		{"failed", webapps.ProcessStatus{Process: always, Runs: 2, Next: now, Last: "exit status 3"}, webapps.ProcessRestarting, 1, "exit status 3", true},
		{"just started again", webapps.ProcessStatus{Process: always, PID: 7, Runs: 3, Since: now.Add(-59 * time.Second), Last: "signal: killed"}, webapps.ProcessRunning, 2, "signal: killed", true},
		{"well for a minute", webapps.ProcessStatus{Process: always, PID: 7, Runs: 3, Since: now.Add(-time.Minute), Last: "signal: killed"}, webapps.ProcessRunning, 2, "signal: killed", false},
		{"could not be started", webapps.ProcessStatus{Process: always, Next: now, Last: "no such file"}, webapps.ProcessRestarting, 0, "no such file", true},
		{"a job before its time", webapps.ProcessStatus{Process: job, Next: now}, webapps.ProcessWaiting, 0, "", false},
		{"a job that runs", webapps.ProcessStatus{Process: job, PID: 7, Runs: 5, Since: now}, webapps.ProcessRunning, 0, "exit status 0", false},
		{"a job that runs after a failure", webapps.ProcessStatus{Process: job, PID: 7, Runs: 5, Last: "exit status 1"}, webapps.ProcessRunning, 0, "exit status 1", true},
	} {
		s := tt.status
		if s.State() != tt.state || s.Restarts() != tt.restarts || s.LastExit() != tt.exit || s.Failing(now) != tt.failing {
			t.Errorf("%s: %s, %d restarts, last %q, failing %v", tt.name, s.State(), s.Restarts(), s.LastExit(), s.Failing(now))
		}
	}
}

// TestNextRestart: pauses grow, and begin anew after a long run.
func TestNextRestart(t *testing.T) {
	for _, tt := range []struct{ before, ran, want time.Duration }{
		{0, 0, time.Second},
		{time.Second, 0, 2 * time.Second},
		{32 * time.Second, 59 * time.Second, time.Minute},
		{time.Minute, time.Second, time.Minute},
		{time.Minute, time.Minute, time.Second},
	} {
		if got := webapps.NextRestart(tt.before, tt.ran); got != tt.want {
			t.Errorf("after a pause of %v and a run of %v: %v, want %v", tt.before, tt.ran, got, tt.want)
		}
	}
}

// TestJob: a job runs at its times, never twice at once, and what was missed
// meanwhile is not made up.
func TestJob(t *testing.T) {
	dir := t.TempDir()
	var asked []time.Time
	due := []time.Duration{10 * time.Millisecond, -2 * time.Minute, 10 * time.Millisecond}
	next := func(now time.Time) time.Time {
		asked = append(asked, now)
		if len(asked) > len(due) {
			return time.Time{} // never again
		}
		return now.Add(due[len(asked)-1])
	}
	ended := webapps.RunJob(next, "echo begin >>log; echo end >>log", dir, slog.New(slog.DiscardHandler))
	testserver.Receive(t, "the end of all runs", ended)
	if got := strings.Join(lines(t, filepath.Join(dir, "log"), 4), " "); got != "begin end begin end" {
		t.Errorf("it ran so: %s", got)
	}
	if len(asked) != 4 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestProcessErrors: what cannot run fails the deployment.
func TestProcessErrors(t *testing.T) {
	for says, list := range map[string][]webapps.Process{
		"has 1 fields":          {{Name: "job", Command: "true", Cron: "often"}},
		`process "": it needs`:  {{Command: "true"}},
		`process "a": it needs`: {{Name: "a", Command: "true"}, {Name: "a", Command: "true"}},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "blog"), page("files"))
		h := open(t, dir, beside(list...))
		if s, _ := h.status("blog"); s.State != webapps.Failed || !strings.Contains(s.Failure.Error(), says) {
			t.Errorf("it is %v, %v; want %s", s.State, s.Failure, says)
		}
	}
}
