package manager_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// reader reads the events of a stream from a real server.
type reader struct {
	t    testing.TB
	resp *http.Response
	r    *bufio.Reader
}

// event is one event.
type event struct{ name, id, data string }

// stream opens a stream over a server in the mode.
func (d *desk) stream(s *testserver.Server, path string) *reader {
	d.t.Helper()
	r := d.request(http.MethodGet, path, nil)
	r.RequestURI = ""
	r.URL.Scheme, r.URL.Host = "http", s.Addr.String()
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") != "text/event-stream" {
		d.t.Errorf("the stream is %s", resp.Header.Get("Content-Type"))
	}
	return &reader{d.t, resp, bufio.NewReader(resp.Body)}
}

// next is the next event; false at the end of the stream.
func (r *reader) next() (e event, ok bool) {
	for {
		line, err := r.r.ReadString('\n')
		if err != nil {
			return e, false
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e, true
			}
		}
	}
}

// until returns the first event of that name whose data holds a text.
func (r *reader) until(name, text string) event {
	r.t.Helper()
	found := make(chan event, 1)
	go func() {
		defer close(found)
		for {
			e, ok := r.next()
			if !ok {
				return
			}
			if e.name == name && strings.Contains(e.data, text) {
				found <- e
				return
			}
		}
	}()
	e := testserver.Receive(r.t, fmt.Sprintf("an event %s with %q", name, text), found)
	if e.name == "" {
		r.t.Fatalf("the stream ends without an event %s with %q", name, text)
	}
	return e
}

// TestStream: what happens is told to whoever looks on, over the engine and over
// net/http, and nothing is left of those who leave.
func TestStream(t *testing.T) {
	testserver.Run(t, func(t *testing.T, mode testserver.Mode) {
		testserver.NoLeaks(t)
		d := open(t, map[string]string{"shop/index.html": "shop"}).enter()
		s := testserver.Start(t, mode, d.ServeHTTP)
		apps := d.stream(s, "/events?page=apps")
		page := d.stream(s, "/events?page=app&app=shop&after=0")
		log := d.stream(s, "/events?page=log&after=0")
		first := apps.until("parts", "table")
		var parts map[string]string
		if err := json.Unmarshal([]byte(first.data), &parts); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(parts["table"], `href="/apps/shop"`) {
			t.Errorf("the table is %s", parts["table"])
		}
		page.until("parts", "summary")
		page.until("log", "deployed")
		log.until("log", "somebody has logged in")

		d.post("/apps/shop/stop").wants(t, http.StatusSeeOther)
		apps.until("say", "/shop is stopped")
		page.until("parts", "Start")
		e := log.until("log", "asked for in the manager")
		if e.id == "" || e.id == "0" {
			t.Errorf("the event has the number %q", e.id)
		}
		d.deploy("wiki.zip", site(t, "wiki")).wants(t, http.StatusSeeOther)
		apps.until("parts", "/apps/wiki")
		d.post("/apps/shop/undeploy").wants(t, http.StatusSeeOther)
		page.until("end", "gone")
		// The log-out ends what is open.
		d.post("/logout").wants(t, http.StatusSeeOther)
		log.until("end", "session")
		apps.until("end", "session")
	}, testserver.H1, testserver.NetHTTP)
}

// TestProcessesShown: what runs beside applications is on their pages, without a
// look and live, and one that fails is told in the list.
func TestProcessesShown(t *testing.T) {
	d := openWith(t, map[string]string{"shop/index.html": "shop"}, func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			return webapps.App{Processes: []webapps.Process{
				{Name: "mails", Command: "exec sleep 1000"},
				{Name: "<brief>", Command: "until test -f go; do sleep 0.01; done; exit 3"},
				{Name: "nightly", Command: "true", Cron: "0 3 1 1 *"},
			}}, nil
		}
	}).enter()
	testserver.Eventually(t, "the job waits", func() bool { return strings.Contains(d.get("/apps/shop").body, "waiting") })
	d.get("/apps/shop").wants(t, http.StatusOK, "Processes beside it", "mails", "&lt;brief&gt;", "<code>0 3 1 1 *</code>", `-01-01T`, "1 Jan 03:00")
	s := testserver.Start(t, testserver.H1, d.ServeHTTP)
	apps := d.stream(s, "/events?page=apps")
	page := d.stream(s, "/events?page=app&app=shop&after=0")
	page.until("parts", "running for")
	if err := os.WriteFile(filepath.Join(d.dir, "shop", "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	page.until("parts", "exit status 3")
	apps.until("parts", "process \\u0026lt;brief\\u0026gt; fails")
	d.get("/").wants(t, http.StatusOK, `class="mood warn">running, process &lt;brief&gt; fails`)
}

// TestStreamResumes: a client that comes back gets what it has missed, once.
func TestStreamResumes(t *testing.T) {
	d := open(t, nil).enter()
	s := testserver.Start(t, testserver.H1, d.ServeHTTP)
	d.log.Info("first")
	e := d.stream(s, "/events?page=log&after=0").until("log", "first")
	d.log.Info("second")
	e = d.stream(s, "/events?page=log&after="+e.id).until("log", "second")
	if strings.Contains(e.data, "first") {
		t.Errorf("what was there comes again: %s", e.data)
	}
	// After a restart of the server numbers begin anew.
	d.stream(s, "/events?page=log&after=999999").until("log", "first")
}

func TestStreamRefused(t *testing.T) {
	d := open(t, map[string]string{"shop/index.html": "shop"}).enter()
	for _, path := range []string{"/events", "/events?page=none", "/events?page=app", "/events?page=app&app=a%20b"} {
		d.get(path).wants(t, http.StatusNotFound)
	}
	d.send(d.request(http.MethodHead, "/events?page=apps", nil)).wants(t, http.StatusMethodNotAllowed)
	s := testserver.Start(t, testserver.H1, d.ServeHTTP)
	d.stream(s, "/events?page=app&app=none").until("end", "gone")
	var streams []*reader
	for range manager.MaxStreams {
		r := d.stream(s, "/events?page=apps")
		r.until("parts", "table")
		streams = append(streams, r)
	}
	d.get("/events?page=apps").wants(t, http.StatusServiceUnavailable, "Too many pages")
	for _, r := range streams {
		r.resp.Body.Close()
	}
	var last *reader
	testserver.Eventually(t, "a stream that is left makes room", func() bool {
		last = d.stream(s, "/events?page=log&after=0")
		return last.resp.StatusCode == http.StatusOK
	})
	// The end of the manager is the end of its streams.
	last.until("log", "logged in")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ok := true; ok; {
			_, ok = last.next()
		}
	}()
	testserver.Receive(t, "the end of the stream", ended)
}

func TestHistory(t *testing.T) {
	d := open(t, map[string]string{"shop/index.html": "shop"}).enter()
	for range 7 {
		d.visit("/shop/")
	}
	testserver.Eventually(t, "the page counts them", func() bool {
		return strings.Contains(d.get("/apps/shop").body, "7 requests in five minutes")
	})
	d.get("/").wants(t, http.StatusOK, `class="spark"`)
	d.get("/apps/shop").wants(t, http.StatusOK, `role="img"`, "Requests in the last five minutes")
}

// A page that only looks on does not keep its session: the stream ends with it.
func TestStreamExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := alone(t).enter()
		w := httptest.NewRecorder()
		begun := time.Now()
		d.ServeHTTP(w, d.request(http.MethodGet, "/events?page=log", nil))
		if !strings.Contains(w.Body.String(), "event: end\ndata: session\n\n") {
			t.Errorf("the stream ends with %q", w.Body)
		}
		if took := time.Since(begun); took < manager.SessionIdle || took > manager.SessionIdle+2*manager.SampleTime {
			t.Errorf("the stream ends after %v", took)
		}
		// Something was sent all the time, so that a client that left is noticed.
		if n := strings.Count(w.Body.String(), ": still here"); n < 100 {
			t.Errorf("%d beats in an hour", n)
		}
	})
}
