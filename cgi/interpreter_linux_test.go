package cgi_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// interpreterOf returns the number of the process that forks a site's scripts, one
// of which tells its parent's.
func interpreterOf(t *testing.T, s *site) int {
	t.Helper()
	res := httptest.NewRecorder()
	s.ServeHTTP(res, httptest.NewRequest("GET", "/cgi-bin/parent.py", nil))
	pid, err := strconv.Atoi(strings.TrimSpace(res.Body.String()))
	must(t, err)
	if pid == os.Getpid() {
		t.Fatal("the script was run cold")
	}
	return pid
}

const parent = "import os\n" + typed + "print(os.getppid())\n"

// An interpreter that is stopped is ended: requests do not wait for it, and
// neither does Close.
func TestInterpreterThatIsStopped(t *testing.T) {
	dir := folder(t, files{"parent.py": parent, "sleep.py": "import time\nprint('Content-Type: text/plain\\n', flush=True)\ntime.sleep(1000)\n"})
	s := open(t, dir, cgi.Config{Warm: true, Timeout: -1, StallTimeout: -1})
	web := s.serve(t, testserver.H1)
	interpreter := interpreterOf(t, s)
	runs := web.Dial()
	runs.Send(ask("GET", "/cgi-bin/sleep.py", ""))
	runs.Head("GET")
	cgi.Impatient(s.Handler, 100*time.Millisecond)
	must(t, syscall.Kill(interpreter, syscall.SIGSTOP))
	for range 2 { // the one by which it shows, and the next
		if res := web.Get("/cgi-bin/parent.py"); res.Status != 200 && res.Status != 502 {
			t.Errorf("status %d, want that of a script which has not run, or of one that ran cold", res.Status)
		}
	}
	if res := web.Get("/cgi-bin/parent.py"); res.Text() != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("%d %q, want the script run cold", res.Status, res.Text())
	}
	s.log.Line(t, "an interpreter for scripts has ended", "it did not answer within 100ms")
}

// Whoever kills an interpreter ends its scripts, and no client takes what it has
// got for all.
func TestInterpreterThatIsKilled(t *testing.T) {
	dir := folder(t, files{"parent.py": parent, "sleep.py": "import os, time\nprint('Content-Type: text/plain\\n', flush=True)\nif not os.fork(): time.sleep(1000)\nprint(os.getpid(), flush=True)\ntime.sleep(1000)\n"})
	s := open(t, dir, cgi.Config{Warm: true})
	web := s.serve(t, testserver.H1)
	interpreter := interpreterOf(t, s)
	c := web.Dial()
	c.Send(ask("GET", "/cgi-bin/sleep.py", ""))
	c.Head("GET")
	must(t, syscall.Kill(interpreter, syscall.SIGKILL))
	if text, _ := c.Rest(); strings.Contains(text, "\r\n0\r\n") {
		t.Errorf("the answer was completed: %q", text)
	}
	if res := web.Get("/cgi-bin/parent.py"); res.Text() != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("%d %q, want the script run cold", res.Status, res.Text())
	}
	s.log.Line(t, "an interpreter for scripts has ended", "signal 9")
}

// An interpreter that names a process of somebody else has that signalled neither
// then nor when it ends.
func TestInterpreterThatNamesAnothersProcess(t *testing.T) {
	other := exec.Command("sleep", "600")
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it leads a group, as scripts do
	must(t, other.Start())
	t.Cleanup(func() {
		must(t, other.Process.Kill())
		_ = other.Wait() // it was killed
	})
	for name, pid := range map[string]int{"the first": 1, "all": -1, "the server": os.Getpid(), "another": other.Process.Pid} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, files{"parent.py": parent, "talk.py": "import time\nprint('Content-Type: text/plain\\n', flush=True)\nwhile True: print(flush=True); time.sleep(.01) # until nobody reads it\n"})
			s := open(t, dir, cgi.Config{Warm: true, Timeout: -1, StallTimeout: -1})
			cgi.Interpret(s.Handler, `(number, os.getpid())`, fmt.Sprintf("(number, %d)", pid))
			web := s.serve(t, testserver.H1)
			c := web.Dial()
			c.Send(ask("GET", "/cgi-bin/talk.py", ""))
			if text, _ := c.Rest(); strings.Contains(text, "\r\n0\r\n") {
				t.Errorf("the answer was completed: %q", text)
			}
			if res := web.Get("/cgi-bin/parent.py"); res.Text() != strconv.Itoa(os.Getpid())+"\n" {
				t.Errorf("%d %q, want the script run cold", res.Status, res.Text())
			}
			s.log.Line(t, "an interpreter for scripts has ended", fmt.Sprintf("named a process that is not its child: %d", pid))
			if !alive(other.Process.Pid) {
				t.Error("the process has been ended")
			}
		})
	}
}
