package control_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestStatus(t *testing.T) {
	h := open(t)
	write(t, h.dir+"/readme.txt", "")
	testserver.Eventually(t, "the text is told of", func() bool {
		var s control.Server
		err := h.Get(t.Context(), "status", nil, &s)
		return err == nil && s.Version == "1" && s.Apps["running"] == 1 && len(s.Problems) == 1 && s.Problems[0].Entry == "readme.txt"
	})
}

func TestApps(t *testing.T) {
	h := open(t)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/site/", nil))
	for _, name := range []string{"/site", "site", "/site/"} {
		a := h.app(name)
		if a.Name != "/site" || a.Entry != "site" || a.Type != "static" || a.State != "running" || a.Traffic.Answers["2xx"] != 1 || a.Traffic.Measured != 1 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	var workers []control.AppWorker
	if err := h.Get(t.Context(), "workers", nil, &workers); err != nil || workers == nil || len(workers) != 0 {
		t.Errorf("workers %v, %v; want an empty list", workers, err)
	}
	var stacks []control.Stacks
	if err := h.Get(t.Context(), "stacks", about("/site"), &stacks); err != nil || len(stacks) != 0 {
		t.Errorf("stacks %v, %v; want an empty list", stacks, err)
	}
}

// TestRefused asks for what cannot be, each in one way.
func TestRefused(t *testing.T) {
	h := open(t)
	for _, version := range []string{"1", "2"} {
		write(t, h.dir+"/shop##"+version+"/index.html", "shop")
	}
	testserver.Eventually(t, "the shops run", func() bool { return len(h.Apps()) == 3 && h.app("/shop##2").State == "running" })
	tests := []struct {
		name, method, path string
		status             int
		code               control.Code
		has                string
	}{
		{"another path", "GET", "/", 404, control.Usage, "speaks /v1/"},
		{"another version of the API", "GET", "/v2/status", 404, control.Usage, "speaks /v1/"},
		{"another method", "GET", "/v1/stop?app=/site", 404, control.Usage, "GET /v1/stop"},
		{"no name", "POST", "/v1/stop", 400, control.Usage, "which application"},
		{"a name that is none", "POST", "/v1/stop?app=a/b", 400, control.Usage, "no name of an application"},
		{"nobody's name", "POST", "/v1/stop?app=/nobody", 404, control.NoApp, "there is no application /nobody"},
		{"a slip", "POST", "/v1/stop?app=/sitr", 404, control.NoApp, "did you mean /site?"},
		{"two versions", "POST", "/v1/stop?app=/shop", 409, control.Ambiguous, "/shop##1, /shop##2"},
		{"nothing before", "POST", "/v1/rollback?app=/site", 409, control.Refused, "no previous deployment"},
		{"the only one", "POST", "/v1/retire?app=/site", 409, control.Refused, "no newer version"},
		{"stacks of nobody", "GET", "/v1/stacks?app=/nobody", 404, control.NoApp, "no application"},
		{"logs of nobody", "GET", "/v1/logs?app=/nobody", 404, control.NoApp, "no application"},
		{"how many", "GET", "/v1/logs?last=-1", 400, control.Usage, "last=-1"},
		{"too many", "GET", "/v1/logs?last=100001", 400, control.Usage, "last=100001"},
		{"deploy nothing", "POST", "/v1/deploy?ending=.zip", 400, control.Usage, "no name"},
		{"deploy no archive", "POST", "/v1/deploy?app=/x&ending=.txt", 400, control.Usage, "no ending of an archive"},
		{"deploy a path", "POST", "/v1/deploy?app=/x&ending=/etc/passwd.zip", 400, control.Usage, "no ending of an archive"},
		{"in place of a folder", "POST", "/v1/deploy?app=/site&ending=.zip", 409, control.Refused, "it is a folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			control.New(h, h.book, h.log).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			body := w.Body.String()
			if w.Code != tt.status || !strings.Contains(body, fmt.Sprintf("%q:%q", "code", tt.code)) || !strings.Contains(body, tt.has) {
				t.Errorf("%d %s, want %d, %s, %q", w.Code, body, tt.status, tt.code, tt.has)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("of type %s", got)
			}
		})
	}
}

// TestLink: a link goes to whoever asks, and into no log.
func TestLink(t *testing.T) {
	h := open(t)
	ask := func() (url string, err error) {
		err = control.Lines(t.Context(), h.Client, http.MethodPost, "manager-link", nil, nil, func(l *control.Link) error {
			url = l.URL
			return nil
		})
		return url, err
	}
	if url, err := ask(); err != nil || !strings.HasSuffix(url, "/link/SECRET") {
		t.Errorf("the link is %q, %v", url, err)
	}
	records, _, _, _ := h.book.After(logbook.All, 0, 1000)
	if text := fmt.Sprint(records); strings.Contains(text, "SECRET") {
		t.Errorf("the log holds the link: %s", text)
	}
	h.alone.Store(true)
	_, err := ask()
	if e := refused(t, err, control.Failure); !strings.Contains(e.Message, "no manager page") {
		t.Errorf("without a page the error is %q", e.Message)
	}
	var nothing any
	if err := h.Get(t.Context(), "manager-link", nil, &nothing); err == nil {
		t.Error("a link is made by looking")
	}
}

func TestLifeOfAnApplication(t *testing.T) {
	h := open(t)
	steps, e, err := h.do("deploy", about("/new", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"index.html": "one"})))
	if err != nil || !e.Done || e.App == nil || e.App.State != "running" || e.App.Entry != "new.zip" {
		t.Fatalf("deployed: %+v after %q, %v", e, steps, err)
	}
	if _, e, err = h.do("deploy", about("/new", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"index.html": "two"}))); err != nil || !e.App.Rollback {
		t.Fatalf("deployed again: %+v, %v", e.App, err)
	}
	page := func(want string) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/new/", nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("answers %d %q, want %q", w.Code, w.Body, want)
		}
	}
	page("two")
	for _, s := range []struct{ what, state, page string }{
		{"rollback", "running", "one"},
		{"stop", "stopped", "503"},
		{"start", "running", "one"},
		{"reload", "running", "one"},
	} {
		if _, e, err = h.do(s.what, about("/new"), nil); err != nil || e.App == nil || e.App.State != s.state {
			t.Fatalf("%s: %+v, %v", s.what, e, err)
		}
		page(s.page)
	}

	// What is nothing changes nothing.
	_, _, err = h.do("deploy", about("/new", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"notes.txt": "private"})))
	if f := refused(t, err, control.Failure); !strings.Contains(f.Message, "cannot deploy /new") {
		t.Errorf("refused with %q", f.Message)
	}
	page("one")
	if a := h.app("/new"); a.State != "running" || a.Failure == nil || a.Failure.Code != control.Failure {
		t.Errorf("the old one is %s, the new one %v", a.State, a.Failure)
	}
	_, _, err = h.do("deploy", about("/new", "ending", ".zip"), strings.NewReader("no archive"))
	refused(t, err, control.Failure)
	_, _, err = h.do("deploy", about("/none", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"notes.txt": "private"})))
	refused(t, err, control.Failure)
	var log []string
	if err := control.Lines(t.Context(), h.Client, http.MethodGet, "logs", about("/none"), nil, func(l *control.LogLine) error {
		log = append(log, l.Message)
		return nil
	}); err != nil || !slices.Contains(log, "cannot deploy") {
		t.Errorf("what never came to be has logged %q, %v", log, err)
	}

	if _, e, err = h.do("undeploy", about("/new"), nil); err != nil || !e.Done || e.App != nil {
		t.Errorf("undeployed: %+v, %v", e, err)
	}
	_, _, err = h.do("start", about("/new"), nil)
	refused(t, err, control.NoApp)
}

// TestWritten refuses to throw away what visitors have left.
func TestWritten(t *testing.T) {
	h := open(t)
	if _, _, err := h.do("deploy", about("/new", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"index.html": "one"}))); err != nil {
		t.Fatal(err)
	}
	write(t, h.dir+"/.gatehouse/apps/new/1/visitors.txt", "ada")
	_, _, err := h.do("deploy", about("/new", "ending", ".zip"), bytes.NewReader(testserver.Zip(t, map[string]string{"index.html": "two"})))
	if e := refused(t, err, control.WouldLose); !slices.Equal(e.Files, []string{"visitors.txt"}) || e.More != 0 {
		t.Errorf("files %q and %d more", e.Files, e.More)
	}
	if _, _, err := h.do("deploy", about("/new", "ending", ".zip", "discard", "1"), bytes.NewReader(testserver.Zip(t, map[string]string{"index.html": "two"}))); err != nil {
		t.Error(err)
	}
}

func TestReloadAll(t *testing.T) {
	h := open(t)
	if _, e, err := h.do("reload", nil, nil); err != nil || !slices.Equal(e.Restart, []string{"listen"}) {
		t.Errorf("reloaded: %+v, %v", e, err)
	}
	for err, code := range map[error]control.Code{
		&control.Error{Code: control.Failure, Message: "broken"}: control.Failure,
		errors.New("no idea"): control.Internal,
	} {
		h.fails.Store(&err)
		_, _, got := h.do("reload", nil, nil)
		refused(t, got, code)
	}
}

// TestAlone has a server that runs one application.
func TestAlone(t *testing.T) {
	h := open(t)
	h.alone.Store(true)
	for _, what := range []string{"deploy", "undeploy", "start", "stop", "rollback", "retire"} {
		_, _, err := h.do(what, about("/site", "ending", ".zip"), nil)
		refused(t, err, control.Alone)
	}
	if _, e, err := h.do("reload", about("/site"), nil); err != nil || !e.Done {
		t.Errorf("reload: %+v, %v", e, err)
	}
	h.log.Info("said", "app", "whatever it is called")
	var log []string
	if err := control.Lines(t.Context(), h.Client, http.MethodGet, "logs", about("/site"), nil, func(l *control.LogLine) error {
		log = append(log, l.Message)
		return nil
	}); err != nil || !slices.Contains(log, "said") {
		t.Errorf("the log holds %q, %v", log, err)
	}
}

// errEnough ends an answer that has no end.
var errEnough = errors.New("enough")

func TestFollow(t *testing.T) {
	h := open(t)
	h.log.Info("before", "app", "/site")
	h.log.Info("of another", "app", "/other")
	for _, tt := range []struct {
		name string
		end  func()
		want error
	}{
		{"the client has enough", nil, errEnough},
		{"the server ends", h.book.Close, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			query := about("/site", "follow", "1", "last", "1")
			err := control.Lines(t.Context(), h.Client, http.MethodGet, "logs", query, nil, func(l *control.LogLine) error {
				got = append(got, l.Message)
				switch {
				case len(got) == 1:
					h.log.Info("after", "app", "/site")
				case tt.end == nil:
					return tt.want
				default:
					tt.end()
				}
				return nil
			})
			if !errors.Is(err, tt.want) || len(got) != 2 || got[1] != "after" {
				t.Errorf("got %q, %v; want 2 and %v", got, err, tt.want)
			}
		})
	}
}

// TestServerDies has servers that end in the middle of what they say.
func TestServerDies(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	const step = "12\r\n{\"step\":\"starting\"\r\n"
	for _, tt := range []struct{ name, say string }{
		{"before its answer", ""},
		{"in the head", "HTTP/1.1 200"},
		{"behind the head", head},
		{"in an event", head + step},
		{"behind an event", head + "14\r\n{\"step\":\"starting\"}\n\r\n"},
		{"with an end, and no result", head + "14\r\n{\"step\":\"starting\"}\n\r\n0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := accept(t, tt.say)
			if _, err := c.Do(t.Context(), "stop", about("/x"), nil, func(string) {}); !errors.Is(err, control.ErrEnded) {
				t.Errorf("%v, want that the server has ended", err)
			}
		})
	}
	c := accept(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nwhat")
	if err := c.Get(t.Context(), "status", nil, new(control.Server)); err == nil || !strings.Contains(err.Error(), "is no gatehouse") {
		t.Errorf("another server: %v", err)
	}
	gone := control.Dial(socket(t))
	if _, ok := errors.AsType[*control.NoServerError](gone.Get(t.Context(), "status", nil, new(control.Server))); !ok {
		t.Error("nobody answers, and that is not told")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t).Get(ctx, "status", nil, new(control.Server)); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left gets %v", err)
	}
}

// TestTooLarge sends an archive that the server does not want to its end.
func TestTooLarge(t *testing.T) {
	h := openLimited(t, 1<<10)
	for _, size := range []int64{1 << 11, 1 << 20, 32 << 20} {
		_, _, err := h.do("deploy", about("/new", "ending", ".zip"), io.LimitReader(rand.Reader, size))
		refused(t, err, control.TooLarge)
	}
}

// TestCut has clients that leave in the middle of an archive.
func TestCut(t *testing.T) {
	h := open(t)
	for _, say := range []string{
		"POST /v1/deploy?app=/new&ending=.zip HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nPK",
		"POST /v1/deploy?app=/new&ending=.zip HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nPK\r\n",
		"POST /v1/deploy?app=/new&ending=.zip HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
	} {
		c, err := net.Dial("unix", h.Path())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, say); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil || strings.Contains(string(answer), `"done":true`) {
			t.Errorf("answered %q, %v", answer, err)
		}
		c.Close()
	}
	testserver.Eventually(t, "nothing is left of what came", func() bool {
		left, err := os.ReadDir(h.dir + "/.gatehouse/incoming")
		return err == nil && len(left) == 0
	})
	if len(h.Apps()) != 1 {
		t.Errorf("there are %d applications, want the one from before", len(h.Apps()))
	}
}

// TestSourceFails has an archive that cannot be read to its end: that is the
// client's own fault, and is told as such.
func TestSourceFails(t *testing.T) {
	h := open(t)
	_, _, err := h.do("deploy", about("/new", "ending", ".zip"), io.MultiReader(strings.NewReader("PK"), iotest.ErrReader(errEnough)))
	if !errors.Is(err, errEnough) {
		t.Errorf("%v, want what is wrong with the archive", err)
	}
}
