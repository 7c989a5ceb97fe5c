package cgi_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// pids returns the numbers that scripts have written into the file, once there
// are n.
func pids(t *testing.T, path string, n int) (found []int) {
	t.Helper()
	testserver.Eventually(t, fmt.Sprintf("%d numbers in %s", n, path), func() bool {
		found = pidsSoFar(t, path)
		return len(found) >= n
	})
	return found
}

// pidsSoFar returns the numbers that are in the file now.
func pidsSoFar(t *testing.T, path string) (found []int) {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(all), "\n") {
		return nil
	}
	for word := range strings.FieldsSeq(string(all)) {
		pid, err := strconv.Atoi(word)
		must(t, err)
		found = append(found, pid)
	}
	return found
}

// overdue calls f, which has the script family below dir run out of its time, with
// more and more of it: until the family was complete by then, however slow the
// machine is. Then it awaits its death.
func overdue(t *testing.T, dir string, f func(timeout time.Duration)) {
	t.Helper()
	path := filepath.Join(dir, "pids")
	for timeout := 500 * time.Millisecond; ; timeout *= 2 {
		f(timeout)
		if all := pidsSoFar(t, path); len(all) >= 3 || timeout > time.Minute {
			awaitDeath(t, pids(t, path, 3))
			return
		}
		must(t, os.RemoveAll(path))
	}
}

// alive reports whether a process runs; one that waits to be reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func awaitDeath(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		testserver.Eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) })
	}
}

// family is a script that has a child and a grandchild and notes all three; they
// ignore SIGTERM if the query says so.
const family = `#!/bin/sh
[ "$QUERY_STRING" = stubborn ] && trap '' TERM
sh -c 'sleep 600 & echo $! >>pids; echo $$ >>pids; wait' >/dev/null &
echo $$ >>pids
`

// The whole family ends when the client leaves, before and during the answer, and
// whether or not it wants to.
func TestClientThatLeaves(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		for _, query := range []string{"", "?stubborn"} {
			for _, begun := range []string{"", "printf 'Content-Type: text/plain\\n\\nhello'\n"} {
				name := fmt.Sprintf("%sbegun=%t", query, begun != "")
				t.Run(name, func(t *testing.T) {
					testserver.Run(t, func(t *testing.T, m testserver.Mode) {
						dir := w.folder(t, files{"family": family + begun + "while :; do wait; done\n"})
						c := w.open(t, dir, cgi.Config{KillGrace: 50 * time.Millisecond}).serve(t, m).Dial()
						c.Send(get("/cgi-bin/family" + query))
						all := pids(t, filepath.Join(dir, "pids"), 3)
						if begun != "" {
							c.Head("GET")
						}
						c.Reset()
						awaitDeath(t, all)
					}, modes...)
				})
			}
		}
	})
}

// A script that does not answer is ended with its family, and the client told.
func TestTimeout(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		for _, query := range []string{"", "?stubborn"} {
			t.Run(query, func(t *testing.T) {
				dir := w.folder(t, files{"family": family + "while :; do wait; done\n"})
				overdue(t, dir, func(timeout time.Duration) {
					site := w.open(t, dir, cgi.Config{Timeout: timeout, KillGrace: 50 * time.Millisecond})
					res := site.serve(t, testserver.H1).Get("/cgi-bin/family" + query)
					if res.Status != 504 {
						t.Errorf("%d", res.Status)
					}
					site.log.Line(t, "took too long", "family")
				})
			})
		}
	})
}

func TestStall(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{
			"stalls": text + "echo begun; exec sleep 600\n",
			"works":  "#!/bin/sh\necho $$ >pids; printf 'Content-Type: text/plain\\n\\ndone\\n'; exec >&- 2>&-; sleep 600\n",
		})
		site := w.open(t, dir, cgi.Config{StallTimeout: time.Second, KillGrace: -1})
		s := site.serve(t, testserver.H1)
		c := s.Dial()
		c.Send(get("/cgi-bin/stalls"))
		if res, err := c.Next("GET"); err == nil {
			t.Errorf("complete: %q", res.Text())
		}
		site.log.Line(t, "stopped in the middle")
		// What works on behind its answer may, but not for ever.
		if res := s.Get("/cgi-bin/works"); res.Text() != "done\n" {
			t.Errorf("%q", res.Text())
		}
		awaitDeath(t, pids(t, filepath.Join(dir, "pids"), 1))
	})
}

// A script that goes on although its answer was refused is ended: it would keep
// others from running.
func TestRefusedScriptEnds(t *testing.T) {
	dir := folder(t, files{
		"silent":    "#!/bin/sh\nexec >&- 2>&-\necho $$ >>pids\nsleep 600\n",
		"malformed": "#!/bin/sh\necho $$ >>pids\nprintf 'no head\\n\\n'\nexec sleep 600 >&- 2>&-\n",
	})
	s := open(t, dir, cgi.Config{}).serve(t, testserver.H1)
	for n, name := range []string{"silent", "malformed"} {
		if res := s.Get("/cgi-bin/" + name); res.Status != 502 {
			t.Errorf("%s: %d", name, res.Status)
		}
		awaitDeath(t, pids(t, filepath.Join(dir, "pids"), n+1))
	}
}

// What a script leaves running in its group ends with it; what has moved out of
// it lives on and holds nobody up, though it holds the output open or goes on
// printing.
func TestWhatIsLeftRunning(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{
			"background": text + "sleep 600 & echo $! >pids; echo done\n",
			"daemon":     text + "setsid sh -c 'echo $$ >daemon.pid; exec sleep 600' & while ! [ -s daemon.pid ]; do sleep 0.01; done; echo done\n",
			"printer":    text + "setsid sh -c 'echo $$ >printer.pid; while echo more; do sleep 0.01; done' & while ! [ -s printer.pid ]; do sleep 0.01; done; echo done\n",
		})
		s := w.open(t, dir, cgi.Config{}).serve(t, testserver.H1)
		for _, name := range []string{"background", "daemon"} {
			if res := s.Get("/cgi-bin/" + name); res.Status != 200 || res.Text() != "done\n" {
				t.Errorf("%s: %d %q", name, res.Status, res.Text())
			}
		}
		awaitDeath(t, pids(t, filepath.Join(dir, "pids"), 1))
		daemon := pids(t, filepath.Join(dir, "daemon.pid"), 1)[0]
		if !alive(daemon) {
			t.Error("the daemon has been killed")
		}
		must(t, syscall.Kill(daemon, syscall.SIGKILL))
		if res := s.Get("/cgi-bin/printer"); res.Status != 200 || !strings.Contains(res.Text(), "done\n") {
			t.Errorf("printer: %d %q", res.Status, res.Text())
		}
		awaitDeath(t, pids(t, filepath.Join(dir, "printer.pid"), 1)) // nobody reads what it prints
	})
}

func TestMaxOutput(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{
			"exact": text + "head -c 1000 /dev/zero\n",
			"flood": text + "exec cat /dev/zero\n",
			"head":  "#!/bin/sh\nexec cat /dev/zero\n",
		})
		site := w.open(t, dir, cgi.Config{MaxOutput: int64(len("Content-Type: text/plain\n\n")) + 1000})
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			s := site.serve(t, m)
			if res := s.Get("/cgi-bin/exact"); res.Status != 200 || len(res.Body) != 1000 {
				t.Errorf("at the limit: %d, %d bytes", res.Status, len(res.Body))
			}
			c := s.Dial()
			c.Send(get("/cgi-bin/flood"))
			if res, err := c.Next("GET"); err == nil && res.Status == 200 {
				t.Errorf("above the limit: %d bytes, complete", len(res.Body))
			}
			if res := s.Get("/cgi-bin/head"); res.Status != 502 {
				t.Errorf("in the head: %d", res.Status)
			}
		}, modes...)
		site.log.Line(t, "more than it may")
	})
}

// What a script prints reaches the client before the script ends.
func TestFlow(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		for _, script := range []string{"script", "nph-script"} {
			head := text
			if script == "nph-script" {
				head = "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n'\n"
			}
			dir := w.folder(t, files{script: head + "exec 3<>fifo; printf one; read x <&3; printf two; read x <&3; printf three\n"})
			fifo := filepath.Join(dir, "fifo")
			must(t, syscall.Mkfifo(fifo, 0o600))
			site := w.open(t, dir, cgi.Config{})
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				c := site.serve(t, m).Dial()
				c.Send(get("/cgi-bin/" + script))
				c.Head("GET")
				for _, part := range []string{"one", "two", "three"} {
					if got := c.Chunk(); got != part {
						t.Errorf("chunk %q, want %q", got, part)
					}
					if part != "three" {
						must(t, os.WriteFile(fifo, []byte("go\n"), 0))
					}
				}
				if last := c.Chunk(); last != "" {
					t.Errorf("chunk %q behind the last one", last)
				}
			}, modes...)
		}
	})
}

// Much output passes through little memory, and a client that does not read holds
// the script back.
func TestOutputIsNotStored(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		const size = 64 << 20
		dir := w.folder(t, files{"big": text + fmt.Sprintf("head -c %d /dev/zero; echo all >&2\n", size)})
		site := w.open(t, dir, cgi.Config{})
		s := site.serve(t, testserver.H1)
		resp, err := s.Client().Get(s.URL() + "/cgi-bin/big")
		must(t, err)
		defer resp.Body.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if strings.Contains(site.log.String(), "msg=all") {
			t.Error("the script has printed all before anybody read")
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if n != size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		runtime.ReadMemStats(&after)
		if grown := after.Sys - before.Sys; after.Sys > before.Sys && grown > 16<<20 {
			t.Errorf("memory grew by %d bytes", grown)
		}
		site.log.Line(t, "msg=all")
	})
}

// A thousand requests, some of them to scripts that fail, leave nothing: the end
// of the run would find zombies and descriptors.
func TestThousandRequests(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		testserver.NoLeaks(t)
		dir := w.folder(t, files{"ok": text + "echo ok; echo note >&2\n", "fails": "#!/bin/sh\nexit 1\n", "killed": "#!/bin/sh\nkill -KILL $$\n"})
		h, err := cgi.Open(cgi.Config{Dir: dir, Warm: w.warm, MaxScripts: 4, Queue: 1000, QueueWait: time.Minute})
		must(t, err)
		s := testserver.Start(t, testserver.H1, h.ServeHTTP)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := range 125 {
					name, want := "ok", 200
					switch i % 10 {
					case 3:
						name, want = "fails", 502
					case 7:
						name, want = "killed", 502
					}
					if res := s.Get("/" + name); res.Status != want {
						t.Errorf("%s: %d", name, res.Status)
					}
				}
			})
		}
		all.Wait()
		must(t, s.Close())
		must(t, h.Close())
	})
}

// As many scripts run as may, as many requests wait as may, the rest is refused.
func TestQueue(t *testing.T) {
	dir := folder(t, files{"waits": text + "echo run >&2; read x <fifo; echo done\n", "quick": text + "echo quick\n"})
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	release := func() { must(t, os.WriteFile(fifo, []byte("go\n"), 0)) }

	t.Run("queue is full", func(t *testing.T) {
		site := open(t, dir, cgi.Config{MaxScripts: 1, Queue: 1, QueueWait: time.Minute})
		s := site.serve(t, testserver.H1)
		first, second := s.Dial(), s.Dial()
		first.Send(get("/cgi-bin/waits"))
		site.log.Line(t, "msg=run")
		second.Send(get("/cgi-bin/quick"))
		testserver.Eventually(t, "a request that waits", func() bool { return cgi.Waiting(site.Handler) == 1 })
		if res := s.Get("/cgi-bin/quick"); res.Status != 503 || res.Get("Retry-After") == "" {
			t.Errorf("%d, Retry-After %q", res.Status, res.Get("Retry-After"))
		}
		release()
		for _, c := range []*testserver.Client{first, second} {
			if res := c.Response("GET"); res.Status != 200 {
				t.Errorf("%d", res.Status)
			}
		}
	})
	t.Run("waited too long", func(t *testing.T) {
		site := open(t, dir, cgi.Config{MaxScripts: 1, QueueWait: time.Millisecond})
		s := site.serve(t, testserver.H1)
		first := s.Dial()
		first.Send(get("/cgi-bin/waits"))
		site.log.Line(t, "msg=run")
		if res := s.Get("/cgi-bin/quick"); res.Status != 503 {
			t.Errorf("%d", res.Status)
		}
		site.log.Line(t, "waited too long")
		release()
		first.Response("GET")
	})
	t.Run("waits for ever", func(t *testing.T) {
		site := open(t, dir, cgi.Config{MaxScripts: 1, QueueWait: -1})
		s := site.serve(t, testserver.H1)
		first, second := s.Dial(), s.Dial()
		first.Send(get("/cgi-bin/waits"))
		site.log.Line(t, "msg=run")
		second.Send(get("/cgi-bin/quick"))
		testserver.Eventually(t, "a request that waits", func() bool { return cgi.Waiting(site.Handler) == 1 })
		release()
		first.Response("GET")
		if res := second.Response("GET"); res.Status != 200 {
			t.Errorf("%d", res.Status)
		}
	})
	t.Run("vanishes meanwhile", func(t *testing.T) {
		site := open(t, dir, cgi.Config{MaxScripts: 1})
		s := site.serve(t, testserver.H1)
		put(t, dir, "goes", text+"echo gone\n", 0o755)
		put(t, dir, "changes", text+"echo old\n", 0o755)
		first, second, third := s.Dial(), s.Dial(), s.Dial()
		first.Send(get("/cgi-bin/waits"))
		site.log.Line(t, "msg=run")
		second.Send(get("/cgi-bin/goes"))
		third.Send(get("/cgi-bin/changes"))
		testserver.Eventually(t, "requests that wait", func() bool { return cgi.Waiting(site.Handler) == 2 })
		must(t, os.Remove(filepath.Join(dir, "goes")))
		must(t, os.Remove(filepath.Join(dir, "changes")))
		put(t, dir, "changes", text+"echo source\n", 0o777) // not to be run any more
		release()
		first.Response("GET")
		if res := second.Response("GET"); res.Status != 404 {
			t.Errorf("gone: %d %q", res.Status, res.Text())
		}
		if res := third.Response("GET"); res.Status != 403 {
			t.Errorf("changed: %d %q", res.Status, res.Text())
		}
	})
}

// Close ends scripts that run, and requests that come later.
func TestClose(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"family": family + "while :; do wait; done\n"})
		h, err := cgi.Open(cgi.Config{Dir: dir, Warm: w.warm, KillGrace: 50 * time.Millisecond})
		must(t, err)
		s := testserver.Start(t, testserver.H1, h.ServeHTTP)
		c := s.Dial()
		c.Send(get("/family?stubborn"))
		all := pids(t, filepath.Join(dir, "pids"), 3)
		must(t, h.Close())
		for _, pid := range all {
			if alive(pid) {
				t.Errorf("process %d lives", pid)
			}
		}
		if res := c.Response("GET"); res.Status != 502 {
			t.Errorf("running: %d", res.Status)
		}
		if res := s.Get("/family"); res.Status != 503 {
			t.Errorf("later: %d", res.Status)
		}
	})
}

// Standard error is logged by lines, long ones in parts, and not without end.
func TestStandardError(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{
			"lines": text + "printf 'one\\r\\n\\ntwo\\nthree' >&2\n",
			"long":  text + "printf '%020000d\\n' 7 >&2\n",
			"flood": text + "yes flood$(printf %01000d 7) | head -c 1000000 >&2; echo done\n",
		})
		site := w.open(t, dir, cgi.Config{})
		s := site.serve(t, testserver.H1)
		id := s.Get("/cgi-bin/lines").Get("X-Request-Id")
		for _, line := range []string{"one", "two", "three"} {
			site.log.Line(t, "msg="+line+" ", "script="+filepath.Join(dir, "lines"), "request="+id)
		}
		s.Get("/cgi-bin/long")
		site.log.Line(t, "msg="+strings.Repeat("0", 20000-2*8192-1)+"7 ")
		if res := s.Get("/cgi-bin/flood"); res.Text() != "done\n" {
			t.Errorf("%q", res.Text())
		}
		site.log.Line(t, "prints too much")
		if n := strings.Count(site.log.String(), "msg=flood") * 1005; n < 200<<10 || n > 257<<10 {
			t.Errorf("about %d bytes logged", n)
		}
	})
}

var _ http.Handler = (*cgi.Handler)(nil)

// A script that vanishes after it was found and before its interpreter opens it is
// not there.
func TestVanishesBeforeItRuns(t *testing.T) {
	dir := folder(t, files{"script.py": "print('ran')\n"})
	interpreter := filepath.Join(t.TempDir(), "interpreter")
	must(t, os.WriteFile(interpreter, []byte("#!/bin/sh\nrm \"$1\"\nexec python3 \"$1\"\n"), 0o755))
	site := open(t, dir, cgi.Config{Interpreters: map[string]string{".py": interpreter}})
	if res := site.serve(t, testserver.H1).Ask(get("/cgi-bin/script.py")); res.Status != http.StatusNotFound {
		t.Errorf("%d %q", res.Status, res.Text())
	}
}
