package pyapp_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestApplicationsThatKeepThePEP(t *testing.T) {
	tests := []struct {
		name   string
		path   string
		status int
		length string // Content-Length; "" for none
		body   string // a summary for long ones
	}{
		{"one block", "/hello", 200, "5", "hello"},
		{"blocks of a list without a length", "/no_length", 200, "10", "two blocks"},
		{"empty list", "/empty", 200, "0", ""},
		{"no content", "/no_content", 204, "", ""},
		{"write and return", "/writes", 200, "", "written, returned"},
		{"head replaced with exc_info", "/replaced", 503, "8", "replaced"},
		{"list longer than a packet", "/large", 200, "3000000", "3000000 × x"},
		{"generator", "/generated", 200, "", "5000000 × y"},
		{"iterable with close", "/closing", 200, "4", "body"},
		{"file wrapper without a file", "/file_no_descriptor", 200, "", "in memory"},
	}
	// The validator checks both sides, but hides from us what the application
	// returns: lists and files become iterators.
	for app, wrapped := range map[string]bool{"good:application": true, "good:plain": false} {
		s := serve(t, pyapp.Config{App: app})
		for _, tt := range tests {
			t.Run(app+" "+tt.name, func(t *testing.T) {
				got := s.get(t, tt.path)
				if got.err != nil {
					t.Fatal(got.err)
				}
				if c := got.body; len(c) > 1000 && strings.Count(c, c[:1]) == len(c) {
					got.body = fmt.Sprintf("%d × %c", len(c), c[0])
				}
				if got.status != tt.status || got.body != tt.body {
					t.Errorf("status %d, body %q; want %d, %q", got.status, got.body, tt.status, tt.body)
				}
				// net/http adds a length to a short response that was not flushed.
				if length := got.header.Get("Content-Length"); !wrapped && tt.length != "" && length != tt.length {
					t.Errorf("Content-Length %q, want %q", length, tt.length)
				}
			})
		}
	}
}

func TestApplicationsThatBreakThePEP(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	tests := []struct {
		path   string
		status int
		log    string // regular expression for the error in the log
	}{
		{"/returns_str", 500, `bad\.py:\d+: return bytes, not str: encode the text first`},
		{"/returns_bare_str", 500, `bad\.py:\d+: return \[body\] with body as bytes, not a bare str`},
		{"/returns_none", 500, `bad\.py:\d+: return an iterable of bytes, not NoneType`},
		{"/yields_str", 500, `bad\.py:\d+: return bytes, not str`},
		{"/no_start", 500, `bad\.py:\d+: call start_response before returning the body`},
		{"/starts_twice", 500, `bad\.py:\d+: call start_response once`},
		{"/status_with_version", 500, `bad\.py:\d+: pass a status of three digits, a space and a reason, such as \\"200 OK\\", not 'HTTP/1.1 200 OK'`},
		{"/status_int", 500, `bad\.py:\d+: pass the status as str, such as \\"200 OK\\", not int`},
		{"/status_bytes", 500, `bad\.py:\d+: pass the status as str, such as \\"200 OK\\", not bytes`},
		{"/header_int", 500, `bad\.py:\d+: pass the value of header 'Content-Length' as str, not int`},
		{"/header_line_break", 500, `bad\.py:\d+: pass header 'X-A' without line breaks`},
		{"/header_not_latin", 500, `bad\.py:\d+: pass header 'X-A' with .* Latin-1 text`},
		{"/header_bad_name", 500, `bad\.py:\d+: pass header 'X A' with a name of token characters`},
		{"/header_hop_by_hop", 500, `bad\.py:\d+: leave header 'Transfer-Encoding' to the server`},
		{"/headers_none", 500, `bad\.py:\d+: pass the headers as a list`},
		{"/raises", 500, `bad\.py:\d+: ValueError: on purpose.*Traceback`},
		{"/raises_system_exit", 500, `bad\.py:\d+: SystemExit: 3`},
		{"/body_too_short", 500, `return as many bytes as Content-Length announces: 10, not 5`},
		{"/body_too_long", 200, `return as many bytes as Content-Length announces: 4, not 13`},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			got := s.get(t, tt.path)
			if got.status != tt.status {
				t.Errorf("status %d, want %d", got.status, tt.status)
			}
			id := got.header.Get("X-Request-Id")
			line := s.log.line(t, `"level":"ERROR"`, `"request":"`+id+`"`)
			if !regexp.MustCompile(tt.log).MatchString(line) {
				t.Errorf("log: %s\nwant %s", line, tt.log)
			}
			if strings.Contains(line, "worker.py") || strings.Contains(line, "wsgi.py") {
				t.Errorf("the log tells of our own code: %s", line)
			}
			if strings.Contains(got.body, "Traceback") || strings.Contains(got.body, "bad.py") {
				t.Errorf("the visitor sees what is not for visitors: %s", got.body)
			}
			if n := strings.Count(s.log.String(), `"request":"`+id+`"`); n != 1 {
				t.Errorf("%d log records, want 1", n)
			}
		})
	}
}

func TestBodyOfTheWrongLengthInAStream(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	// Where the failure is known before the head was sent, nothing comes at all.
	if resp, err := http.DefaultTransport.RoundTrip(request(t, http.MethodGet, s.url+"/stream_too_short", nil)); err == nil {
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("a body that is too short reads as complete: %q", body)
		}
	}
	if got := s.get(t, "/stream_too_long"); got.err != nil || got.body != "body" {
		t.Errorf("body %q, error %v; want what was announced", got.body, got.err)
	}
}

func TestEnvironOnTheWire(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Mount: "/a b/"})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /a%%20b/echo_environ/?q=%%41&%%ff HTTP/1.1\r\nHost: example.org:81\r\nX-Two: 1\r\nX-Two: 2\r\n"+
		"Cookie: a=1\r\nCookie: b=2\r\nX_Under: no\r\nProxy: no\r\nX-Latin: \xe9\r\nX-Request-Id: forged\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"REQUEST_METHOD='GET'\n", "SCRIPT_NAME='/a b'\n", "PATH_INFO='/echo_environ/'\n", "QUERY_STRING='q=%41&%ff'\n",
		"REQUEST_URI='/a%20b/echo_environ/?q=%41&%ff'\n", "SERVER_NAME='example.org'\n", "SERVER_PORT='81'\n", "SERVER_PROTOCOL='HTTP/1.1'\n",
		"REMOTE_ADDR='127.0.0.1'\n", "HTTP_HOST='example.org:81'\n", "HTTP_X_TWO='1, 2'\n", "HTTP_COOKIE='a=1; b=2'\n", "HTTP_X_LATIN='é'\n",
		"wsgi.url_scheme='http'\n", "wsgi.version=(1, 0)\n", "wsgi.multithread=False\n", "wsgi.multiprocess=True\n", "wsgi.input_terminated=True\n",
	} {
		if !strings.Contains(string(answer), want) {
			t.Errorf("environ lacks %q", want)
		}
	}
	for _, not := range []string{"UNDER", "HTTP_PROXY", "forged", "CONTENT_LENGTH", "CONTENT_TYPE"} {
		if strings.Contains(string(answer), not) {
			t.Errorf("environ holds %s", not)
		}
	}
	if t.Failed() {
		t.Logf("%s", answer)
	}
}

func TestPathOutsideOfTheMount(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", Mount: "/blog"})
	for path, status := range map[string]int{"/blog/hello": 200, "/blogs/hello": 404, "/hello": 404, "/": 404} {
		if got := s.get(t, path); got.status != status {
			t.Errorf("%s: status %d, want %d", path, got.status, status)
		}
	}
}

func TestRequestBodies(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good", MaxBody: 3 << 20, SpoolMemory: 256 << 10, SpoolDir: t.TempDir()})
	for _, size := range []int{0, 1, 32 << 10, 32<<10 + 1, 256 << 10, 256<<10 + 1, 3 << 20, 3<<20 + 1} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, chunked %t", size, chunked), func(t *testing.T) {
				content := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
				var body io.Reader = bytes.NewReader(content)
				if chunked {
					body = io.MultiReader(body) // hides its length
				}
				got := s.do(t, request(t, http.MethodPost, s.url+"/digest_body", body))
				if size > 3<<20 {
					if got.status != http.StatusRequestEntityTooLarge {
						t.Errorf("status %d, want 413", got.status)
					}
					return
				}
				if want := fmt.Sprintf("%d %x", size, sha256.Sum256(content)); got.status != 200 || got.body != want {
					t.Errorf("status %d, body %q, want %q", got.status, got.body, want)
				}
			})
		}
	}
}

func TestInput(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good"})
	for _, size := range []int{5, 40000} {
		content := strings.Repeat("x", size)
		got := s.do(t, request(t, http.MethodPost, s.url+"/echo_body", io.MultiReader(strings.NewReader(content))))
		if got.body != content || got.header.Get("X-Over-Read") != "0" || got.header.Get("X-Length") != fmt.Sprint(size) {
			t.Errorf("%d bytes in chunks: %d came back, header %v", size, len(got.body), got.header)
		}
	}
	got := s.do(t, request(t, http.MethodPost, s.url+"/lines_of_body", strings.NewReader("a\nb\nc")))
	if want := `[b'a\n', b'b\n', b'c']`; got.body != want {
		t.Errorf("lines = %s, want %s", got.body, want)
	}
}

func TestHEAD(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain"})
	for path, length := range map[string]string{"/hello": "5", "/head_first": "5", "/file": "500000", "/generated": "", "/closing_endless": ""} {
		got := s.do(t, request(t, http.MethodHead, s.url+path, nil))
		if got.status != 200 || got.header.Get("Content-Length") != length || got.body != "" {
			t.Errorf("HEAD %s: status %d, Content-Length %q, want 200 and %q", path, got.status, got.header.Get("Content-Length"), length)
		}
	}
}

func TestFieldsOfTheApplication(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good"})
	h := s.get(t, "/cookies").header
	if c := h.Values("Set-Cookie"); len(c) != 2 || c[0] != "a=1" || c[1] != "b=2" {
		t.Errorf("Set-Cookie = %q", c)
	}
	if v := h.Values("Server"); len(v) != 1 || v[0] != "own" {
		t.Errorf("Server = %q", v)
	}
	if v := h.Get("X-Latin"); v != "caf\xe9" {
		t.Errorf("X-Latin = %q", v)
	}
}

func TestFileWrapper(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:plain"})
	got := s.get(t, "/file")
	if want := strings.Repeat("0123456789", 50000); got.body != want || got.header.Get("Content-Length") != "500000" {
		t.Errorf("%d bytes, Content-Length %q; want the file from where it stood", len(got.body), got.header.Get("Content-Length"))
	}
}

func TestCloseIsCalledOnce(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good"})
	for _, name := range []string{"closing", "closing_stream", "closing_error"} {
		s.get(t, "/"+name)
		if got := s.get(t, "/what_was_closed"); got.body != name {
			t.Errorf("closed %q, want %q", got.body, name)
		}
	}
}

func TestStreamIsFlushed(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad"})
	resp, err := http.DefaultTransport.RoundTrip(request(t, http.MethodGet, s.url+"/stalls?1", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 100)
	n, err := resp.Body.Read(first)
	if err != nil || string(first[:n]) != "begun" {
		t.Errorf("first read: %q, %v; want the first block while the second is still due", first[:n], err)
	}
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "done" {
		t.Errorf("rest: %q, %v", rest, err)
	}
}

func TestFactory(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good:create()"})
	if got := s.get(t, "/hello"); got.status != 200 || got.body != "hello" {
		t.Errorf("status %d, %q", got.status, got.body)
	}
}

func TestOutput(t *testing.T) {
	s := serve(t, pyapp.Config{App: "good"})
	id := s.get(t, "/printed").header.Get("X-Request-Id")
	for _, text := range []string{"printed", "through a stream found at import", "to stderr", "to wsgi.errors"} {
		s.log.line(t, `"msg":"`+text+`"`, `"worker":1`, `"request":"`+id+`"`)
	}
	s.log.line(t, `"msg":"printed"`, `"output":"in two lines"`)
	s.log.line(t, `"msg":"from C"`, `"worker":1`, `"app":"apps"`)
}

func TestUser(t *testing.T) {
	const nobody = 65534
	pool, err := pyapp.Open(pyapp.Config{
		Dir: "/", App: "wsgiref.simple_server:demo_app", Workers: 1, User: &pyapp.User{UID: nobody, GID: nobody},
		Python: "/usr/bin/python3", // one that other users may run, wherever PATH leads
	})
	if os.Geteuid() != 0 {
		// Nobody else may become another user; the error says so.
		if err == nil || !strings.Contains(err.Error(), "operation not permitted") {
			t.Errorf("error %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, pid := range []int{pyapp.TemplatePID(pool), pyapp.WorkerPID(pool)} {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "Groups:\t \n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("process %d lacks %q", pid, want)
			}
		}
	}
}
