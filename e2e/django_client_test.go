package e2e_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// testAdminByClient uses the admin as staff does: logs in, puts covers into
// books, and exports what is lent. Each request may go to another worker.
func testAdminByClient(t *testing.T, site string) {
	v := visit(t, site)
	v.get("admin/login/")
	if got := v.submit("admin/login/", url.Values{"username": {deskUser}, "password": {deskPassword}}); got.StatusCode != http.StatusFound {
		t.Fatalf("login: %s", got.Status)
	}
	t.Run("session", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := v.do(http.MethodGet, "admin/", nil); got.StatusCode != http.StatusOK || !strings.Contains(got.body, deskUser) {
					t.Errorf("%s: not logged in with every worker", got.Status)
				}
			})
		}
		wg.Wait()
	})
	// Below and above what is held in memory.
	for _, size := range []int{len(aPixel), 1_500_000} {
		t.Run(fmt.Sprintf("cover of %d bytes", size), func(t *testing.T) {
			cover := append([]byte(aPixel), bytes.Repeat([]byte("\x00\xff\r\n--"), size/6)...)[:size]
			form := url.Values{
				"title": {fmt.Sprint("Book with ", size)}, "author": {"1"}, "year": {"1843"}, "isbn": {""}, "summary": {""},
				"copies-TOTAL_FORMS": {"0"}, "copies-INITIAL_FORMS": {"0"}, "_continue": {"1"},
			}
			got := v.upload("admin/library/book/add/", form, "cover", "cover.gif", cover)
			path, found := strings.CutPrefix(got.Header.Get("Location"), "/admin/library/book/")
			number, changed := strings.CutSuffix(path, "/change/")
			if !found || !changed {
				t.Fatalf("%s, Location %q: %.2000s", got.Status, got.Header.Get("Location"), got.body)
			}
			if back := v.get("books/" + number + "/cover"); back.body != string(cover) {
				t.Errorf("%d bytes come back, not the %d that were sent", len(back.body), size)
			}
		})
	}
	t.Run("export", func(t *testing.T) {
		if got := v.submit("books/1/borrow", url.Values{}); got.StatusCode != http.StatusFound {
			t.Fatalf("borrow: %s", got.Status)
		}
		v.get("admin/library/loan/")
		got := v.submit("admin/library/loan/", url.Values{"action": {"export"}, "select_across": {"1"}, "index": {"0"}, "_selected_action": {"1"}})
		if !strings.HasPrefix(got.body, "copy,title,reader,") || !strings.Contains(got.body, deskUser) || got.Header.Get("Content-Disposition") == "" {
			t.Errorf("%s, fields %v: %.300s", got.Status, got.Header, got.body)
		}
	})
}

// A Django project that streams: the first rows, then no more until a file is
// there.
const streamingProject = `import os, time
from django.conf import settings
settings.configure(ROOT_URLCONF="project", ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="not secret", DEBUG=False)
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path
def rows():
    yield "number,square\r\n"
    while not os.path.exists("go"):
        time.sleep(0.005)
    for n in range(100000):
        yield "%d,%d\r\n" % (n, n * n)
urlpatterns = [path("rows.csv", lambda request: StreamingHttpResponse(rows(), content_type="text/csv"))]
application = get_wsgi_application()
`

// TestDjangoStreamsRows: the first row is with the client before the last is
// made, and all of them come.
func TestDjangoStreamsRows(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "project.py"), streamingProject)
	_, server := host(t, pyapp.Config{
		Dir: dir, App: "project:application", Python: python(t, "django"), Workers: 1, Env: append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"),
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get(siteOf(server) + "rows.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); first != "number,square\r\n" {
		t.Fatalf("first row %q, %v", first, err)
	}
	write(t, filepath.Join(dir, "go"), "")
	for n := range 100000 {
		if line, err := lines.ReadString('\n'); line != fmt.Sprintf("%d,%d\r\n", n, n*n) {
			t.Fatalf("row %d is %q, %v", n, line, err)
		}
	}
	if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
		t.Errorf("after the last row: %q, %v", rest, err)
	}
}

// TestReloadUnderLoad loads the Django example anew again and again while
// clients ask: none of them may notice.
func TestReloadUnderLoad(t *testing.T) {
	env := prepareDesk(t, "", [][]string{{"migrate", "--verbosity", "0"}, {"fill_desk", "--user", deskUser, "--password", deskPassword}})
	pool, server := host(t, pyapp.Config{
		Dir: filepath.Join(root(t), "examples", "django"), App: "desk.wsgi:application", Python: python(t, "django"), Workers: 2,
		Env: append(os.Environ(), env...),
	})
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	var slowest time.Duration
	answered := 0
	for range 3 {
		c := server.Dial() // one connection: nothing is sent twice behind our back
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				begin := time.Now()
				_ = c.SetDeadline(begin.Add(testserver.Patience)) // fails only on a closed connection
				err := c.TrySend("GET /?q=moby HTTP/1.1\r\nHost: localhost\r\n\r\n")
				var got *testserver.Response
				if err == nil {
					got, err = c.Next("")
				}
				if err != nil || got.Status != http.StatusOK || !strings.Contains(got.Text(), "Moby-Dick") {
					t.Errorf("while reloading: %v, %v", got, err)
					return
				}
				mu.Lock()
				answered++
				slowest = max(slowest, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	reloads := 20
	if os.Getenv("GATEHOUSE_SOAK") != "" {
		reloads = 100
	}
	for n := range reloads {
		if err := pool.Reload(t.Context()); err != nil {
			t.Fatalf("reload %d: %v", n+1, err)
		}
	}
	close(stop)
	clients.Wait()
	t.Logf("%d reloads, %d answers, the slowest in %v", reloads, answered, slowest.Round(time.Millisecond))
}
