package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// siteFolder is a folder with a configuration and the folders that it names.
type siteFolder struct {
	dir   string
	mu    sync.Mutex
	pools map[string][]*sitePool // by application, in the order of their start
	fails map[string]error       // of the next start of an application
}

func newSiteFolder(t *testing.T) *siteFolder {
	t.Helper()
	f := &siteFolder{dir: t.TempDir(), pools: map[string][]*sitePool{}, fails: map[string]error{}}
	for _, name := range []string{"a/wsgi.py", "b/wsgi.py"} {
		f.write(t, name, "def application(environ, start_response): pass\n")
	}
	return f
}

func (f *siteFolder) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// configure writes a file with these applications, each with an environment, at
// paths of their names.
func (f *siteFolder) configure(t *testing.T, apps ...string) {
	t.Helper()
	var text strings.Builder
	for _, app := range apps {
		name, mode, _ := strings.Cut(app, "=")
		fmt.Fprintf(&text, "[apps.%s]\nenv.MODE = '%s'\n", name, mode)
	}
	text.WriteString("[[sites]]\n[[sites.routes]]\npath = '/fixed'\nrespond = 'fixed'\n")
	for _, app := range apps {
		name, _, _ := strings.Cut(app, "=")
		fmt.Fprintf(&text, "[[sites.routes]]\npath = '/%s/'\napp = '%[1]s'\n", name)
	}
	f.write(t, "gatehouse.toml", text.String())
}

// open makes a pool.
func (f *siteFolder) open(c pyapp.Config) (daemon.Pool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails[c.Name]; err != nil {
		return nil, err
	}
	mode := c.Env[len(c.Env)-1]
	p := &sitePool{says: fmt.Sprintf("%s %s at %s", c.Name, strings.TrimPrefix(mode, "MODE="), c.Mount), closed: make(chan struct{})}
	f.pools[c.Name] = append(f.pools[c.Name], p)
	return p, nil
}

// sitePool is an application without processes.
type sitePool struct {
	fakePool
	says   string
	closed chan struct{}
	loads  int
	broken error
	hold   chan struct{} // a request for /hold is answered when it is closed
	held   chan struct{} // closed when that request is there
}

func (p *sitePool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/hold") {
		close(p.held)
		<-p.hold
	}
	fmt.Fprint(w, p.says)
}
func (p *sitePool) Reload(context.Context) error { p.loads++; return p.broken }
func (p *sitePool) Close() error                 { close(p.closed); return nil }

func (p *sitePool) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

func TestSitesReload(t *testing.T) {
	f := newSiteFolder(t)
	f.configure(t, "a=1", "b=1")
	s, err := daemon.NewSites(f.dir, f.open)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, want map[string]string) {
		t.Helper()
		for path, text := range want {
			if got := get(s, path); got != text && (text != "404" || !strings.HasPrefix(got, "404 ")) {
				t.Errorf("%s: GET %s = %q, want %q", when, path, got, text)
			}
		}
	}
	started := map[string]string{"/fixed": "200 fixed", "/a/x": "200 a 1 at /a", "/b/x": "200 b 1 at /b", "/x": "404"}
	check("started", started)

	// An application whose start fails: nothing changes, and the other that was
	// started for nothing is ended.
	f.fails["b"] = errors.New("broken import")
	f.configure(t, "a=2", "b=2")
	if _, err := s.Reload(); !strings.Contains(fmt.Sprint(err), "broken import") {
		t.Errorf("reload = %v, want why b does not start", err)
	}
	check("b failed", started)
	if p := f.pools["a"]; len(p) > 2 || len(p) == 2 && !p[1].isClosed() || p[0].isClosed() {
		t.Errorf("of a, %d pools were started; the one that was not needed is to end, and no other", len(p))
	}

	// So it is with a folder that is missing, and before anything is started.
	f.fails = map[string]error{}
	f.write(t, "gatehouse.toml", "[[sites]]\nroot = 'nowhere'\n")
	if _, err := s.Reload(); !strings.Contains(fmt.Sprint(err), "gatehouse.toml:2:8: root: expected a folder") {
		t.Errorf("reload = %v, want that the folder is missing", err)
	}
	check("a folder is missing", started)
	f.write(t, "gatehouse.toml", "[app]\nworkers = 2\n")
	if _, err := s.Reload(); !strings.Contains(fmt.Sprint(err), "no [[sites]] any more") {
		t.Errorf("reload = %v, want that there are no sites", err)
	}
	check("no sites", started)

	// One that stays loads its code again; when that is broken it alone keeps the
	// old, and the rest is taken in.
	a, b := f.pools["a"][0], f.pools["b"][0]
	a.broken = errors.New("syntax error")
	f.configure(t, "a=1", "b=3")
	kept, err := s.Reload()
	if err != nil || len(kept) != 1 || !errors.Is(kept[0], a.broken) || a.loads != 1 || b.loads != 0 {
		t.Errorf("reload = %v, %v; a was loaded %d times, b %d; want the syntax error of a", kept, err, a.loads, b.loads)
	}
	check("b is another", map[string]string{"/a/x": "200 a 1 at /a", "/b/x": "200 b 3 at /b"})
	<-b.closed

	// One that goes is ended when its last request is answered.
	a.hold, a.held = make(chan struct{}), make(chan struct{})
	answered := make(chan string)
	go func() { answered <- get(s, "/a/hold") }()
	<-a.held
	f.configure(t, "b=3")
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	check("a is gone", map[string]string{"/a/x": "404", "/b/x": "200 b 3 at /b"})
	f.configure(t, "b=4")
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if a.isClosed() {
		t.Error("a was ended while it had a request")
	}
	close(a.hold)
	if got := <-answered; got != "200 a 1 at /a" {
		t.Errorf("the request under way: %q", got)
	}
	<-a.closed
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	for name, pools := range f.pools {
		for i, p := range pools {
			if !p.isClosed() {
				t.Errorf("pool %d of %s was not ended", i, name)
			}
		}
	}
}

// An application is halted by itself: requests that it has are answered, others
// get 503, and what is new of it meanwhile is there when it is started again.
func TestSitesHalt(t *testing.T) {
	f := newSiteFolder(t)
	f.configure(t, "a=1", "b=1")
	s, err := daemon.NewSites(f.dir, f.open)
	if err != nil {
		t.Fatal(err)
	}
	do := func(command, app string) {
		t.Helper()
		if err := s.Do(t.Context(), command, app); err != nil {
			t.Fatalf("%s %s: %v", command, app, err)
		}
	}
	state := func(want webapps.State, draining int, failure error) {
		t.Helper()
		if state, n, err := s.State("a"); state != want || n != draining || !errors.Is(err, failure) {
			t.Errorf("it is %v, %d drain, %v; want %v, %d, %v", state, n, err, want, draining, failure)
		}
	}
	answers := func(want string) {
		t.Helper()
		if got := get(s, "/a/x"); !strings.HasPrefix(got, want) {
			t.Errorf("GET /a/x = %q, want %q", got, want)
		}
		if got := get(s, "/b/x"); got != "200 b 1 at /b" {
			t.Errorf("GET /b/x = %q, want that nothing happens to it", got)
		}
	}
	a := f.pools["a"][0]
	a.hold, a.held = make(chan struct{}), make(chan struct{})
	answered := make(chan string)
	go func() { answered <- get(s, "/a/hold") }()
	<-a.held
	do("stop", "a")
	do("stop", "a")
	state(webapps.Stopped, 1, nil)
	answers("503 ")
	if a.isClosed() {
		t.Error("it was ended while it had a request")
	}
	close(a.hold)
	if got := <-answered; got != "200 a 1 at /a" {
		t.Errorf("the request under way: %q", got)
	}
	<-a.closed

	// A reload leaves it halted, and notes what is new; so does one of it alone.
	f.configure(t, "a=2", "b=1")
	if kept, err := s.Reload(); err != nil || len(kept) > 0 {
		t.Fatalf("reload = %v, %v", kept, err)
	}
	do("reload", "a")
	answers("503 ")
	if n := len(f.pools["a"]); n != 1 {
		t.Errorf("%d pools were opened, want none since it was stopped", n)
	}
	broken := errors.New("broken import")
	f.fails["a"] = broken
	if err := s.Do(t.Context(), "start", "a"); !errors.Is(err, broken) {
		t.Errorf("start = %v, want the broken import", err)
	}
	state(webapps.Stopped, 0, broken)
	answers("503 ")
	f.fails = map[string]error{}
	do("start", "a")
	do("start", "a")
	state(webapps.Running, 0, nil)
	answers("200 a 2 at /a")

	// New code that is broken changes nothing but that it is told.
	a = f.pools["a"][1]
	a.broken = broken
	if err := s.Do(t.Context(), "reload", "a"); !errors.Is(err, broken) {
		t.Errorf("reload = %v, want the broken import", err)
	}
	state(webapps.Running, 0, broken)
	answers("200 a 2 at /a")
	a.broken = nil
	do("reload", "a")
	state(webapps.Running, 0, nil)

	refused := new(webapps.RefusedError)
	if err := s.Do(t.Context(), "undeploy", "a"); !errors.As(err, &refused) || refused.Hint == "" {
		t.Errorf("undeploy = %v, want that it is refused, and what to do", err)
	}
	if err := s.Do(t.Context(), "stop", "nobody"); !errors.Is(err, webapps.ErrNoApp) {
		t.Errorf("stop of nobody = %v", err)
	}

	// All of it at the same time, and then the end.
	var wg sync.WaitGroup
	for _, command := range []string{"stop", "start", "reload", "start", "stop"} {
		wg.Go(func() {
			for range 20 {
				if err := s.Do(t.Context(), command, "a"); err != nil {
					t.Errorf("%s: %v", command, err)
				}
				if got := get(s, "/a/x"); got != "200 a 2 at /a" && !strings.HasPrefix(got, "503 ") {
					t.Errorf("GET /a/x = %q", got)
				}
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if _, err := s.Reload(); err != nil {
				t.Errorf("reload = %v", err)
			}
		}
	})
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	for i, p := range f.pools["a"] {
		if !p.isClosed() {
			t.Errorf("pool %d was not ended", i)
		}
	}
	if err := s.Do(t.Context(), "start", "b"); !errors.Is(err, webapps.ErrClosed) {
		t.Errorf("start after the end = %v", err)
	}
}

// Who is halted is not waited for longer than drain says.
func TestSitesHaltEnds(t *testing.T) {
	f := newSiteFolder(t)
	f.write(t, "gatehouse.toml", "drain = '1ms'\n[apps.a]\nenv.MODE = '1'\n[[sites]]\nroutes = [{ path = '/a/', app = 'a' }]\n")
	s, err := daemon.NewSites(f.dir, f.open)
	if err != nil {
		t.Fatal(err)
	}
	a := f.pools["a"][0]
	a.hold, a.held = make(chan struct{}), make(chan struct{})
	answered := make(chan string)
	go func() { answered <- get(s, "/a/hold") }()
	<-a.held
	if err := s.Do(t.Context(), "stop", "a"); err != nil {
		t.Fatal(err)
	}
	<-a.closed // a real pool breaks the request off
	close(a.hold)
	<-answered
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// Started by root, nobody's code gets the rights of another.
func TestForeignCode(t *testing.T) {
	f := newSiteFolder(t)
	f.write(t, "gatehouse.toml", "[apps.a]\n[[sites]]\n[[sites.routes]]\npath = '/a/'\napp = 'a'\n[[sites.routes]]\npath = '/b/'\ncgi = 'b'\n")
	l, err := (&config.Source{Dir: f.dir}).Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		uid    uint32
		owners map[string]uint32
		want   []string // beginnings of the problems
	}{
		{"one owner", 1000, map[string]uint32{"a": 1000, "b": 1000}, nil},
		{"root's code", 1000, map[string]uint32{"a": 0, "b": 1000}, nil},
		{"not to be told", 1000, nil, nil},
		{"another's", 1000, map[string]uint32{"a": 1000, "b": 1001}, []string{":8:7: "}},
		{"all would run as root", 0, map[string]uint32{"a": 1000, "b": 1001}, []string{":1:7: ", ":8:7: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failed, _ := errors.AsType[*config.FileError](daemon.Foreign(l, tt.uid, tt.owners))
			var problems []config.Problem
			if failed != nil {
				problems = failed.Problems
			}
			if len(problems) != len(tt.want) {
				t.Fatalf("problems %v, want %d", problems, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.Contains(problems[i].String(), want) {
					t.Errorf("problem %s, want it at %s", problems[i], want)
				}
			}
		})
	}
}

// The number of routes is not to be seen in what a request costs.
func BenchmarkSites(b *testing.B) {
	for _, count := range []int{1, 10, 200, 2000} {
		b.Run(fmt.Sprint(count, " routes"), func(b *testing.B) {
			dir := b.TempDir()
			var text strings.Builder
			text.WriteString("[[sites]]\n")
			for i := range count {
				fmt.Fprintf(&text, "[[sites.routes]]\npath = '/part%d/page'\nrespond = 'x'\n", i)
			}
			if err := os.WriteFile(filepath.Join(dir, "gatehouse.toml"), []byte(text.String()), 0o644); err != nil {
				b.Fatal(err)
			}
			s, err := daemon.NewSites(dir, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			r := httptest.NewRequest(http.MethodGet, "/part0/page", nil)
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
