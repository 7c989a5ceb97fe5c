package pagescript_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// ask asks the site itself for a page.
func ask(site http.Handler, target string) (status int, body string) {
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w.Code, w.Body.String()
}

// expect fails unless the page answers so.
func expect(t *testing.T, site http.Handler, target string, status int, body string) {
	t.Helper()
	if code, got := ask(site, target); code != status || status == 200 && strings.TrimSpace(got) != body {
		t.Errorf("%s: %d %q, want %d %q", target, code, got, status, body)
	}
}

// What is saved is served, whatever it was before.
func TestChanges(t *testing.T) {
	site := open(t, folder(t, files{"page.py": says("1"), "other.py": says("'other'")}), quick())
	expect(t, site, "/page.py", 200, "1")
	expect(t, site, "/other.py", 200, "other")
	for i, change := range []struct {
		text   string
		status int
		body   string
	}{
		{says("2"), 200, "2"},
		{says("3"), 200, "3"}, // of the same length
		{"print('printed')\n", 200, "printed"},
		{says("4"), 200, "4"},
		{"import no_such_module\n" + says("5"), 500, ""},
		{says("6"), 200, "6"},
		{"def application(environ, start_response)\n    pass\n", 500, ""},
		{"application = 1\n", 500, ""},
		{"import os\nos._exit(3)\n" + says("7"), 500, ""},
		{"raise SystemExit\n" + says("8"), 500, ""},
		{says("9"), 200, "9"},
	} {
		save(t, site.dir, "page.py", change.text, longAgo.Add(time.Duration(i+1)*time.Millisecond))
		expect(t, site, "/page.py", change.status, change.body)
		expect(t, site, "/page.py", change.status, change.body) // and again, from what is known
		expect(t, site, "/other.py", 200, "other")
	}
	site.log.Line(t, "cannot load a page", "page.py", "No module named 'no_such_module'", "traceback=")
	site.log.Line(t, "cannot load a page", "SyntaxError", "page.py:1")
	site.log.Line(t, "cannot load a page", "ended with status 3")
	must(t, os.Remove(filepath.Join(site.dir, "page.py")))
	expect(t, site, "/page.py", 404, "")
	put(t, site.dir, "page.py", says("10"))
	expect(t, site, "/page.py", 200, "10")
}

// A module beside a page is a part of it, and so is a package.
func TestModulesChange(t *testing.T) {
	site := open(t, folder(t, files{
		"page.py": "import _one, pack.two\n" + says("_one.VALUE + pack.two.VALUE"), "_one.py": "VALUE = 1\n",
		"pack/__init__.py": "", "pack/two.py": "VALUE = 10\n",
	}), quick())
	expect(t, site, "/page.py", 200, "11")
	for i, change := range []struct{ file, text, want string }{
		{"_one.py", "VALUE = 2\n", "12"},
		{"pack/two.py", "VALUE = 20\n", "22"},
		{"pack/__init__.py", "raise ValueError\n", ""},
		{"pack/__init__.py", "", "22"},
	} {
		save(t, site.dir, change.file, change.text, longAgo.Add(time.Duration(i+1)*time.Second))
		testserver.Eventually(t, change.file+" is loaded anew", func() bool {
			status, body := ask(site, "/page.py")
			return change.want == "" && status == 500 || status == 200 && body == change.want
		})
		if change.want != "" {
			expect(t, site, "/page.py", 200, change.want)
		}
	}
}

// A file that is being written is waited for.
func TestHalfSaved(t *testing.T) {
	site := open(t, folder(t, files{"page.py": says("1")}), quick())
	expect(t, site, "/page.py", 200, "1")
	for i := 2; i < 5; i++ {
		path, text := filepath.Join(site.dir, "page.py"), says(strconv.Itoa(i))
		must(t, os.WriteFile(path, nil, 0o644))
		answered := make(chan string)
		go func() {
			_, body := ask(site, "/page.py")
			answered <- body
		}()
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString(text)
		must(t, err)
		must(t, f.Close())
		if got := testserver.Receive(t, "the answer", answered); got != strconv.Itoa(i) {
			t.Errorf("the page answers %q after %d was written", got, i)
		}
	}
}

// Many ask while the page is saved again and again: nobody is refused, and nobody
// who comes after somebody has seen a version gets one before it.
func TestChangesUnderLoad(t *testing.T) {
	site := open(t, folder(t, files{"page.py": says("0")}), quick())
	var seen atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before := seen.Load()
				status, body := ask(site, "/page.py")
				version, err := strconv.ParseInt(body, 10, 64)
				if status != 200 || err != nil || version < before {
					t.Errorf("%d %q after version %d was seen", status, body, before)
					return
				}
				for at := seen.Load(); at < version && !seen.CompareAndSwap(at, version); at = seen.Load() {
				}
			}
		})
	}
	const versions = 10
	for i := range versions {
		save(t, site.dir, "page.py", says(strconv.Itoa(i+1)), longAgo.Add(time.Duration(i)*time.Second))
		testserver.Eventually(t, fmt.Sprintf("version %d is served", i+1), func() bool { return seen.Load() == int64(i+1) })
	}
	close(done)
	clients.Wait()
}

// Refresh loads what has not changed anew.
func TestRefresh(t *testing.T) {
	site := open(t, folder(t, files{"page.py": "import os\n" + says("os.getppid()")}), quick())
	_, first := ask(site, "/page.py")
	expect(t, site, "/page.py", 200, first)
	site.Refresh()
	if status, second := ask(site, "/page.py"); status != 200 || second == first {
		t.Errorf("%d, template %s before and %s after", status, first, second)
	}
}

// A page that is not asked for has no processes.
func TestIdle(t *testing.T) {
	config := quick()
	config.Idle = 20 * time.Millisecond
	site := open(t, folder(t, files{"page.py": "import os\n" + says("os.getppid()")}), config)
	_, template := ask(site, "/page.py")
	testserver.Eventually(t, "the end of its processes", func() bool {
		_, err := os.Stat("/proc/" + template)
		return err != nil
	})
	if status, again := ask(site, "/page.py"); status != 200 || again == template {
		t.Errorf("%d %s", status, again)
	}
}

// No more pages have processes than may: one that is idle makes room, one that is
// at work does not.
func TestRoom(t *testing.T) {
	config := quick()
	config.MaxApplications = 1
	config.Applications.QueueWait = 50 * time.Millisecond
	site := open(t, folder(t, files{
		"one.py": says("1"), "two.py": says("2"), "broken.py": "application = 1\n",
		"slow.py": "import os, time\ndef application(environ, start_response):\n    while not os.path.exists(environ['QUERY_STRING']): time.sleep(.01)\n    start_response('200 OK', [])\n    return [b'slow']\n",
	}), config)
	expect(t, site, "/one.py", 200, "1")
	expect(t, site, "/two.py", 200, "2")
	expect(t, site, "/broken.py", 500, "")
	expect(t, site, "/one.py", 200, "1")
	end := filepath.Join(site.dir, "end")
	answered := make(chan string)
	go func() {
		_, body := ask(site, "/slow.py?"+end)
		answered <- body
	}()
	testserver.Eventually(t, "slow.py runs", func() bool { return len(site.Stacks(t.Context())["/slow.py"]) == 1 })
	testserver.Eventually(t, "slow.py has its request", func() bool {
		status, _ := ask(site, "/one.py")
		return status == http.StatusServiceUnavailable
	})
	site.log.Line(t, "no room for another application")
	put(t, site.dir, "end", "")
	if got := testserver.Receive(t, "the answer of slow.py", answered); got != "slow" {
		t.Errorf("slow.py answers %q", got)
	}
	expect(t, site, "/one.py", 200, "1")
}

// A page that never answers costs its own request, and is interrupted.
func TestEndless(t *testing.T) {
	config := quick()
	config.Applications.Timeout, config.Scripts.Timeout = 300*time.Millisecond, 300*time.Millisecond
	site := open(t, folder(t, files{
		"page.py": "def application(environ, start_response):\n    while True: pass\n", "print.py": "while True: pass\n", "other.py": says("1"),
	}), config)
	expect(t, site, "/page.py", 504, "")
	expect(t, site, "/print.py", 504, "")
	testserver.Eventually(t, "another page answers, within the same time", func() bool {
		status, body := ask(site, "/other.py")
		return status == 200 && body == "1"
	})
}

// Close ends what is at work.
func TestClose(t *testing.T) {
	dir := folder(t, files{"page.py": "import time\ndef application(environ, start_response):\n    time.sleep(600)\n", "load.py": "import time\ntime.sleep(600)\n" + says("1")})
	config := quick()
	config.Scripts.Dir = dir
	h, err := pagescript.Open(config)
	must(t, err)
	answered := make(chan int, 2)
	for _, target := range []string{"/page.py", "/load.py"} {
		go func() {
			status, _ := ask(h, target)
			answered <- status
		}()
	}
	testserver.Eventually(t, "the request is at work", func() bool {
		stacks := h.Stacks(t.Context())["/page.py"]
		return len(stacks) == 1 && len(stacks[0].Requests) == 1
	})
	must(t, h.Close())
	for range 2 {
		if status := testserver.Receive(t, "an answer", answered); status != 502 && status != 503 {
			t.Errorf("status %d", status)
		}
	}
}

// A file that has just been emptied may still have the time that it had before.
func TestEmptied(t *testing.T) {
	site := open(t, folder(t, files{"page.py": ""}), quick())
	answered := make(chan string)
	go func() {
		_, body := ask(site, "/page.py")
		answered <- body
	}()
	put(t, site.dir, "page.py", says("'written'"))
	if got := testserver.Receive(t, "the answer", answered); got != "written" {
		t.Errorf("the page answers %q", got)
	}
}
