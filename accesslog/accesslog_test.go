package accesslog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/accesslog"
)

// moment is the time of every entry in the tables.
func moment() time.Time {
	return time.Date(2026, time.November, 20, 14, 10, 23, 456_000_000, time.FixedZone("", 3600))
}

func TestFormats(t *testing.T) {
	full := accesslog.Entry{
		Remote: "192.0.2.7:51000", Method: "GET", Target: "/a?b=c", Proto: "HTTP/1.1", Host: "example.com", Status: 200, Bytes: 1234,
		Referer: "http://example.com/", UserAgent: "Firefox", RequestID: "0123456789abcdef", Duration: 1500 * time.Microsecond,
	}
	tests := []struct {
		name   string
		format accesslog.Format
		entry  func(e *accesslog.Entry)
		want   string
	}{
		{"combined", accesslog.Combined, func(*accesslog.Entry) {}, `192.0.2.7 - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.com/" "Firefox"`},
		{"combined, nothing known", accesslog.Combined, func(e *accesslog.Entry) { *e = accesslog.Entry{Status: 400} }, `- - - [20/Nov/2026:14:10:23 +0100] "-" 400 0 "-" "-"`},
		{"combined, forged line", accesslog.Combined, func(e *accesslog.Entry) { e.Target = "/\r\n10.0.0.1 - -" }, `192.0.2.7 - - [20/Nov/2026:14:10:23 +0100] "GET /\x0D\x0A10.0.0.1 - - HTTP/1.1" 200 1234 "http://example.com/" "Firefox"`},
		{"combined, quotes", accesslog.Combined, func(e *accesslog.Entry) { e.UserAgent = `a" 200 \` }, `192.0.2.7 - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.com/" "a\x22 200 \x5C"`},
		{"combined, terminal escape and non-ASCII", accesslog.Combined, func(e *accesslog.Entry) { e.Referer = "\x1b[2Jé\x7f\xff" }, `192.0.2.7 - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "\x1B[2J\xC3\xA9\x7F\xFF" "Firefox"`},
		{"combined, IPv6", accesslog.Combined, func(e *accesslog.Entry) { e.Remote = "[2001:db8::1]:80" }, `2001:db8::1 - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.com/" "Firefox"`},
		{"combined, Unix socket", accesslog.Combined, func(e *accesslog.Entry) { e.Remote = "@" }, `unix: - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.com/" "Firefox"`},
		{"combined, bare IPv6", accesslog.Combined, func(e *accesslog.Entry) { e.Remote = "2001:db8::1" }, `2001:db8::1 - - [20/Nov/2026:14:10:23 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.com/" "Firefox"`},
		{"json", accesslog.JSON, func(*accesslog.Entry) {}, `{"time":"2026-11-20T14:10:23.456+01:00","remote":"192.0.2.7","method":"GET","host":"example.com","target":"/a?b=c","proto":"HTTP/1.1","status":200,"bytes":1234,"duration_ms":1.500,"referer":"http://example.com/","user_agent":"Firefox","request_id":"0123456789abcdef"}`},
		{"json, any bytes", accesslog.JSON, func(e *accesslog.Entry) {
			*e = accesslog.Entry{Target: "/\"\\\n\x1b", UserAgent: "é😀\xff", Status: 404}
		}, `{"time":"2026-11-20T14:10:23.456+01:00","remote":"","method":"","host":"","target":"/\u0022\u005c\u000a\u001b","proto":"","status":404,"bytes":0,"duration_ms":0.000,"user_agent":"\u00e9\ud83d\ude00\ufffd"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := full
			tt.entry(&e)
			e.Time = moment()
			var out bytes.Buffer
			l := accesslog.New(&out, tt.format, nil)
			l.Add(&e)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(out.String(), "\n"); got != tt.want {
				t.Errorf("line\n%s\nwant\n%s", got, tt.want)
			}
			if tt.format == accesslog.JSON && !json.Valid(out.Bytes()) {
				t.Errorf("not JSON: %s", out.String())
			}
		})
	}
}

func FuzzFormats(f *testing.F) {
	f.Add("GET", "/\x00\"\\", "\u2028")
	f.Fuzz(func(t *testing.T, method, target, agent string) {
		for _, format := range []accesslog.Format{accesslog.Combined, accesslog.JSON} {
			var out bytes.Buffer
			l := accesslog.New(&out, format, nil)
			l.Add(&accesslog.Entry{Method: method, Target: target, UserAgent: agent})
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			line, rest, _ := bytes.Cut(out.Bytes(), []byte("\n"))
			if len(rest) != 0 {
				t.Fatalf("more than one line: %q", out.Bytes())
			}
			for _, c := range line {
				if c < ' ' || c > '~' {
					t.Fatalf("byte %#x in %q", c, line)
				}
			}
			if format == accesslog.JSON && !json.Valid(line) {
				t.Fatalf("not JSON: %s", line)
			}
			if quotes := bytes.Count(line, []byte(`"`)); format == accesslog.Combined && quotes != 6 {
				t.Fatalf("%d quotes, want 6: %s", quotes, line)
			}
		}
	})
}

func TestMiddleware(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  float64
		bytes   float64
		id      any
	}{
		{"answer", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "four") }, 200, 4, nil},
		{"nothing written", func(http.ResponseWriter, *http.Request) {}, 200, 0, nil},
		{"identifier", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "abc")
			w.WriteHeader(502)
		}, 502, 0, "abc"},
		{"panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 500, 0, nil},
		{"panic after the head", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			panic(http.ErrAbortHandler)
		}, 202, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			l := accesslog.New(&out, accesslog.JSON, nil)
			r := httptest.NewRequest(http.MethodGet, "/x?y", nil)
			r.Header.Set("User-Agent", "test")
			func() {
				defer func() { _ = recover() }() // what the server below does
				l.Middleware(tt.handler).ServeHTTP(httptest.NewRecorder(), r)
			}()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v in %s", err, out.Bytes())
			}
			if line["status"] != tt.status || line["bytes"] != tt.bytes || line["request_id"] != tt.id {
				t.Errorf("line %v, want status %v, %v bytes, identifier %v", line, tt.status, tt.bytes, tt.id)
			}
			if line["target"] != "/x?y" || line["user_agent"] != "test" || line["remote"] != "192.0.2.1" {
				t.Errorf("line %v does not tell of the request", line)
			}
			if requests, n := l.Totals(); requests != 1 || float64(n) != tt.bytes {
				t.Errorf("Totals = %d, %d; want 1, %v", requests, n, tt.bytes)
			}
		})
	}
}

// A line waits at most a tenth of a second, and many become one write.
func TestGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		l := accesslog.New(w, accesslog.Combined, nil)
		defer l.Close()
		for range 3 {
			l.Add(&accesslog.Entry{Status: 200})
		}
		synctest.Wait()
		if n, _ := w.seen(); n != 0 {
			t.Errorf("%d writes before the wait is over, want none", n)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n, text := w.seen(); n != 1 || strings.Count(text, "\n") != 3 {
			t.Errorf("%d writes with %d lines, want 1 with 3", n, strings.Count(text, "\n"))
		}
	})
}

// Requests go on while nothing takes their lines; what is too much is counted.
func TestStuckDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := writerFunc(func(p []byte) (int, error) { <-release; return len(p), nil })
		l := accesslog.New(w, accesslog.Combined, nil)
		line := &accesslog.Entry{Target: "/" + strings.Repeat("a", 1<<10)}
		for range 3 << 10 {
			l.Add(line)
			synctest.Wait()
		}
		if l.Dropped() == 0 {
			t.Error("3 MB of lines waits in memory, want a bound")
		}
		if err := l.Close(); err == nil {
			t.Error("Close of a stuck destination = nil, want an error")
		}
		close(release)
	})
}

// A full disk costs lines, one report, and nothing else.
func TestFailingDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports bytes.Buffer
		broken := true
		w := writerFunc(func(p []byte) (int, error) {
			if broken {
				return 0, errors.New("no space left on device")
			}
			return len(p), nil
		})
		l := accesslog.New(w, accesslog.Combined, slog.New(slog.NewTextHandler(&reports, nil)))
		for range 3 {
			l.Add(&accesslog.Entry{})
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := strings.Count(reports.String(), "level=ERROR"); n != 1 || l.Dropped() != 3 {
			t.Errorf("%d reports and %d dropped lines, want 1 and 3", n, l.Dropped())
		}
		broken = false
		l.Add(&accesslog.Entry{})
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(reports.String(), "level=INFO") {
			t.Errorf("recovery was not reported:\n%s", &reports)
		}
	})
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := accesslog.Open(path, accesslog.Combined, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Add(&accesslog.Entry{Target: "/before"})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Add(&accesslog.Entry{Target: "/after"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Add(&accesslog.Entry{Target: "/late"})
	for file, want := range map[string]string{path + ".1": "/before", path: "/after"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), want) {
			t.Errorf("%s holds %q, want one line with %s", file, text, want)
		}
	}
	if l.Dropped() != 1 {
		t.Errorf("Dropped = %d, want 1: the line after Close", l.Dropped())
	}
}

func TestReopenFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := accesslog.Open(filepath.Join(dir, "access.log"), accesslog.Combined, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Error("Reopen without the folder = nil, want an error")
	}
	l.Add(&accesslog.Entry{})
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if l.Dropped() != 0 {
		t.Errorf("Dropped = %d, want the old file to stay in use", l.Dropped())
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := accesslog.Open(filepath.Join(t.TempDir(), "no", "such", "folder"), accesslog.JSON, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open = %v, want os.ErrNotExist", err)
	}
}

// TestMain fails if a Log's writer outlives its test.
func TestMain(m *testing.M) {
	code := m.Run()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		left := stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(left, []byte("accesslog.(*Log)")) {
			break
		}
		if time.Now().After(deadline) {
			os.Stderr.Write(left)
			os.Exit(1)
		}
	}
	os.Exit(code)
}

func BenchmarkMiddleware(b *testing.B) {
	for _, format := range []accesslog.Format{accesslog.Combined, accesslog.JSON} {
		b.Run(map[accesslog.Format]string{accesslog.Combined: "combined", accesslog.JSON: "json"}[format], func(b *testing.B) {
			l := accesslog.New(io.Discard, format, nil)
			defer l.Close()
			h := l.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }))
			r := httptest.NewRequest(http.MethodGet, "/some/page.html?query=1", nil)
			r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
			r.Header.Set("Referer", "http://example.com/some/where")
			w := &nothing{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// nothing is a writer that costs nothing.
type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header         { return n.header }
func (n *nothing) Write(p []byte) (int, error) { return len(p), nil }
func (n *nothing) WriteHeader(int)             {}

// writes remembers what was written, and in how many pieces.
type writes struct {
	mu   sync.Mutex
	n    int
	text strings.Builder
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.text.Write(p)
}

func (w *writes) seen() (int, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n, w.text.String()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
