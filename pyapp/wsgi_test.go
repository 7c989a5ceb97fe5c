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

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestApplicationsThatKeepThePEP(t *testing.T) {
	for _, app := range []string{"good:application", "good:plain"} {
		checkGood(t, serve(t, pyapp.Config{App: app}), app)
	}
}

// checkGood asks s, which serves app, for all that keeps the PEP.
func checkGood(t *testing.T, s *site, app string) {
	t.Helper()
	// The validator checks both sides, but hides from us what the application
	// returns: lists and files become iterators.
	wrapped := app == "good:application"
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
		{"early hints first", "/hints", 200, "5", "hello"},
		{"status without a reason", "/empty_reason", 200, "4", "fine"},
		{"file wrapper with a file", "/file_once", 200, "4", "file"},
		{"file wrapper without a file", "/file_no_descriptor", 200, "", "in memory"},
	}
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

func TestApplicationsThatBreakThePEP(t *testing.T) {
	checkBad(t, serve(t, pyapp.Config{App: "bad"}))
}

// checkBad asks s for all that breaks the PEP in one way.
func checkBad(t *testing.T, s *site) {
	t.Helper()
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
		{"/returns_int", 500, `bad\.py:\d+: return an iterable of bytes, not int`},
		{"/yields_none", 500, `bad\.py:\d+: return bytes, not NoneType`},
		{"/yields_bytearray", 500, `bad\.py:\d+: return bytes, not bytearray`},
		{"/writes_str", 500, `bad\.py:\d+: pass bytes to write\(\), not str`},
		{"/starts_too_late", 500, `bad\.py:\d+: call start_response before returning the body`},
		{"/starts_without_exc_info", 500, `bad\.py:\d+: call start_response once, or pass exc_info`},
		{"/status_informational", 500, `bad\.py:\d+: answer with a final status, not the informational '103 Early Hints'`},
		{"/status_without_space", 500, `bad\.py:\d+: pass a status of three digits, a space and a reason, such as \\"200 OK\\", not '200'`},
		{"/status_line_break", 500, `bad\.py:\d+: pass a status of three digits`},
		{"/status_not_latin", 500, `bad\.py:\d+: pass a status of three digits`},
		{"/header_bytes", 500, `bad\.py:\d+: pass the name of header b'X-A' as str, not bytes`},
		{"/header_no_pair", 500, `bad\.py:\d+: pass each header as a \(name, value\) tuple, not \('X-A', 'b', 'c'\)`},
		{"/header_name_line_break", 500, `bad\.py:\d+: pass header 'X-A: b\\\\r\\\\nX-B' without line breaks`},
		{"/header_nul", 500, `bad\.py:\d+: pass header 'X-A' without line breaks and NUL`},
		{"/header_connection", 500, `bad\.py:\d+: leave header 'connection' to the server`},
		{"/headers_dict", 500, `bad\.py:\d+: pass the headers as a list of \(name, value\) tuples, not dict`},
		{"/head_too_long", 500, `bad\.py:\d+: return a head of at most 32760 bytes, not 40\d+`},
		{"/length_twice", 500, `bad\.py:\d+: pass header 'Content-Length' once, and as a number`},
		{"/length_is_no_number", 500, `bad\.py:\d+: pass header 'Content-Length' once, and as a number`},
		{"/hint_line_break", 500, `bad\.py:\d+: pass header 'Link' without line breaks`},
		{"/hints_without_end", 500, `bad\.py:\d+: call wsgi.early_hints at most 16 times for one request`},
		{"/raises_before_the_first_block", 500, `bad\.py:\d+: ValueError: on purpose.*Traceback`},
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
			line := s.log.Line(t, `"level":"ERROR"`, `"request":"`+id+`"`)
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

// Where the head has been sent, all that is left is to break off.
func TestFailuresInTheMiddleOfTheBody(t *testing.T) {
	onBoth(t, pyapp.Config{App: "bad"}, func(t *testing.T, s *site, server *testserver.Server) {
		for path, log := range map[string]string{
			"/raises_after_the_first_block": `bad\.py:\d+: ValueError: on purpose`,
			"/exc_info_too_late":            `bad\.py:\d+: KeyError: 'on purpose'`,
			"/writes_str_in_stream":         `bad\.py:\d+: pass bytes to write\(\), not str`,
			"/hint_too_late":                `bad\.py:\d+: call wsgi.early_hints before the first part of the response is sent`,
		} {
			c := server.Dial()
			c.Send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
			head := c.Head("GET")
			if got := c.Chunk(); head.Status != 200 || got != "begun" {
				t.Errorf("%s: status %d, %q; want 200 and what there was", path, head.Status, got)
			}
			if rest, err := c.Rest(); rest != "" {
				t.Errorf("%s: %q, %v behind that; want the end of the connection", path, rest, err)
			}
			line := s.log.Line(t, `"level":"ERROR"`, `"path":"`+path+`"`)
			if !regexp.MustCompile(log).MatchString(line) {
				t.Errorf("%s: log: %s\nwant %s", path, line, log)
			}
		}
	})
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

func TestEnvironOfPaths(t *testing.T) {
	tests := []struct{ mount, target, script, path, query, uri string }{
		{"", "/", "", "/", "", "/"},
		{"", "/a?b=c?d", "", "/a", "b=c?d", "/a?b=c?d"},
		{"", "/caf%C3%A9", "", "/cafÃ©", "", "/caf%C3%A9"},
		{"", "/%FF%00", "", "/ÿ\\x00", "", "/%FF%00"},
		{"", "/a%2Fb%20c", "", "/a/b c", "", "/a%2Fb%20c"},
		{"", "//a//b/", "", "//a//b/", "", "//a//b/"},
		{"", "/a?%C3%A9+%2F", "", "/a", "%C3%A9+%2F", "/a?%C3%A9+%2F"},
		{"", "http://test/a?b", "", "/a", "b", "http://test/a?b"},
		{"/m", "/m", "/m", "", "", "/m"},
		{"/m/", "/m/", "/m", "/", "", "/m/"},
		{"m", "/m/a%3Fb", "/m", "/a?b", "", "/m/a%3Fb"},
		{"/café", "/caf%C3%A9/x", "/cafÃ©", "/x", "", "/caf%C3%A9/x"},
	}
	for _, tt := range tests {
		s := openSite(t, pyapp.Config{App: "environ", Mount: tt.mount}, pyapp.Open)
		server := testserver.Start(t, testserver.H1, s.ServeHTTP)
		got := server.Ask("GET " + tt.target + " HTTP/1.1\r\nHost: test\r\n\r\n").Text()
		for _, want := range []string{
			"SCRIPT_NAME='" + tt.script + "'\n", "PATH_INFO='" + tt.path + "'\n", "QUERY_STRING='" + tt.query + "'\n", "REQUEST_URI='" + tt.uri + "'\n",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s below %q: no %q in\n%s", tt.target, tt.mount, want, got)
			}
		}
	}
}

func TestEnvironOfFields(t *testing.T) {
	const long = "GET / HTTP/1.1\r\nHost: example.org:8080\r\n"
	tests := []struct {
		name, request string
		has, lacks    []string
	}{
		{
			"host with a port", long + "\r\n",
			[]string{"HTTP_HOST='example.org:8080'", "SERVER_NAME='example.org'", "SERVER_PORT='8080'", "SERVER_PROTOCOL='HTTP/1.1'", "REMOTE_ADDR='127.0.0.1'"},
			[]string{"CONTENT_LENGTH", "CONTENT_TYPE"},
		},
		{
			"host without a port", "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
			[]string{"HTTP_HOST='example.org'", "SERVER_NAME='example.org'", "SERVER_PORT='80'"},
			nil,
		},
		{"address as host", "GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", []string{"HTTP_HOST='[::1]:81'", "SERVER_NAME='::1'", "SERVER_PORT='81'"}, nil},
		{"no host", "GET / HTTP/1.0\r\n\r\n", []string{"SERVER_NAME='127.0.0.1'", "SERVER_PROTOCOL='HTTP/1.0'"}, []string{"HTTP_HOST", "SERVER_PORT='80'"}},
		{
			"repeated", long + "X-A: 1\r\nx-a: 2\r\nX-A: \r\nCookie: a=1\r\ncookie: b=2; c=3\r\nAccept: a\r\nAccept: b\r\n\r\n",
			[]string{"HTTP_X_A='1, 2, '", "HTTP_COOKIE='a=1; b=2; c=3'", "HTTP_ACCEPT='a, b'"},
			nil,
		},
		{
			"names that collide", long + "X_A: no\r\nX.A: no\r\nX-A: yes\r\nContent_Length: 5\r\nHttp_X: no\r\n\r\n",
			[]string{"HTTP_X_A='yes'"},
			[]string{"'no'", "CONTENT_LENGTH", "HTTP_HTTP"},
		},
		{"proxy", long + "Proxy: http://evil/\r\n\r\n", nil, []string{"HTTP_PROXY", "evil"}},
		{"forged identifier", long + "X-Request-Id: forged\r\n\r\n", []string{"HTTP_X_REQUEST_ID="}, []string{"forged"}},
		{"bytes", long + "X-A: caf\xc3\xa9\r\n\r\n", []string{"HTTP_X_A='cafÃ©'"}, nil},
		{"space around a value", long + "X-A: \t b c \r\n\r\n", []string{"HTTP_X_A='b c'"}, nil},
		{
			"type and length", "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: a/b; c=d\r\nContent-Length: 1\r\n\r\nx",
			[]string{"REQUEST_METHOD='POST'", "CONTENT_TYPE='a/b; c=d'", "CONTENT_LENGTH='1'"},
			[]string{"HTTP_CONTENT"},
		},
		{
			"length of nothing", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
			[]string{"CONTENT_LENGTH='0'"},
			nil,
		},
		{
			"chunks", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			[]string{"CONTENT_LENGTH='3'"},
			[]string{"HTTP_TRANSFER"},
		},
		{"method of its own", "BREW / HTTP/1.1\r\nHost: test\r\n\r\n", []string{"REQUEST_METHOD='BREW'"}, nil},
		{"constants", long + "\r\n", []string{
			"wsgi.input_terminated=True", "wsgi.multiprocess=True", "wsgi.multithread=False", "wsgi.run_once=False", "wsgi.url_scheme='http'", "wsgi.version=(1, 0)",
		}, nil},
	}
	s := openSite(t, pyapp.Config{App: "environ"}, pyapp.Open)
	server := testserver.Start(t, testserver.H1, s.ServeHTTP)
	for _, tt := range tests {
		got := server.Ask(tt.request).Text()
		for _, want := range tt.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", tt.name, want, got)
			}
		}
		for _, not := range tt.lacks {
			if strings.Contains(got, not) {
				t.Errorf("%s: %s in\n%s", tt.name, not, got)
			}
		}
	}
}

func TestEnvironOfConnections(t *testing.T) {
	for _, tt := range []struct {
		mode    testserver.Mode
		threads int
		want    []string
	}{
		{testserver.H1Unix, 1, []string{"REMOTE_ADDR=''\n", "wsgi.url_scheme='http'\n", "wsgi.multithread=False\n"}},
		{testserver.H1S, 2, []string{"REMOTE_ADDR='127.0.0.1'\n", "wsgi.url_scheme='https'\n", "SERVER_PORT='443'\n", "wsgi.multithread=True\n"}},
	} {
		s := openSite(t, pyapp.Config{App: "environ", Threads: tt.threads}, pyapp.Open)
		got := testserver.Start(t, tt.mode, s.ServeHTTP).Get("/").Text()
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", tt.mode, want, got)
			}
		}
		if tt.mode == testserver.H1Unix && strings.Contains(got, "REMOTE_PORT") {
			t.Errorf("a Unix socket has a port: %s", got)
		}
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
	config := pyapp.Config{App: "environ", SpoolMemory: 64 << 10, SpoolDir: t.TempDir()}
	ways := map[string]int{
		"read&0": 0, "read_n&7000": 7000, "readline&0": 100, "readline_n&30": 30, "readlines&0": 100, "readlines_n&5000": 100, "iteration&0": 100,
		"mixed&90": 100,
	}
	for name, streamed := range map[string]bool{"taken in": false, "streamed": true} {
		config.StreamRequests = streamed
		s := serve(t, config)
		for _, size := range []int{0, 1, 99, 101, 32 << 10, 40000, 100000} { // in the packet, in memory, in a file
			content := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), size/100+1)[:size]
			for way, longest := range ways {
				for _, chunked := range []bool{false, true} {
					var body io.Reader = bytes.NewReader(content)
					length := fmt.Sprint(size)
					if chunked {
						body = io.MultiReader(body) // hides its length
					}
					if chunked && streamed || size == 0 {
						length = "none"
					}
					if longest = min(longest, size); way == "read&0" {
						longest = size
					}
					r := request(t, http.MethodPost, s.url+"/reads?"+way, body)
					if size == 0 && !chunked {
						length = "0"
					}
					got := s.do(t, r)
					want := fmt.Sprintf("%d %x, longest piece %d, 0 beyond the end", size, sha256.Sum256(content), longest)
					if got.status != 200 || got.body != want || got.header.Get("X-Length") != length {
						t.Errorf("%s, %d bytes, chunked %t, %s: status %d, %q, CONTENT_LENGTH %s; want %q, %s",
							name, size, chunked, way, got.status, got.body, got.header.Get("X-Length"), want, length)
					}
				}
			}
		}
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
	onBoth(t, pyapp.Config{App: "good"}, func(t *testing.T, _ *site, server *testserver.Server) {
		h := server.Get("/cookies").Header
		if s, d := h.Values("Server"), h.Values("Date"); len(s) != 1 || s[0] != "own" || len(d) != 1 || d[0] != "Tue, 01 Jan 2019 00:00:00 GMT" {
			t.Errorf("Server %q, Date %q; want the application's alone", s, d)
		}
	})
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
	const head = " HTTP/1.1\r\nHost: test\r\n\r\n"
	onBoth(t, pyapp.Config{App: "closing"}, func(t *testing.T, s *site, server *testserver.Server) {
		check := func(name, how string) {
			t.Helper()
			var got string
			// What follows the last byte for the client, the worker does in its own time.
			eventually(t, name+" to be closed", func() bool {
				got += server.Get("/what_was_closed").Text()
				return got != ""
			})
			if got != name {
				t.Errorf("%s: closed %q, want %q", how, got, name)
			}
		}
		for _, name := range []string{
			"whole", "stream", "empty", "not_modified", "not_modified_with_body", "no_content_with_body",
			"raises_at_first", "raises_later", "exits", "too_long", "too_short", "not_started", "bad_block", "writes_then_raises",
			"exc_info_too_late", "file_wrapper", "file_wrapper_too_short", "file_wrapper_not_started",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				c := server.Dial()
				c.Send(method + " /" + name + head)
				_, _ = c.Next(method) // what comes is told elsewhere
				check(name, method)
			}
		}
		for _, name := range []string{"endless", "endless_generator"} {
			c := server.Dial()
			c.Send("GET /" + name + head)
			c.Head("GET")
			c.Chunk()
			c.Reset()
			check(name, "client that leaves")
			c = server.Dial()
			c.Send("HEAD /" + name + head)
			c.Head("HEAD")
			check(name, "HEAD")
		}
	})
}

// A response that must not have a body has none, nor a length that speaks of one.
func TestStatusWithoutBody(t *testing.T) {
	onBoth(t, pyapp.Config{App: "closing"}, func(t *testing.T, s *site, server *testserver.Server) {
		for path, status := range map[string]int{"/not_modified": 304, "/not_modified_with_body": 304, "/no_content_with_body": 204} {
			c := server.Dial()
			got := c.Roundtrip("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
			if got.Status != status || len(got.Body) > 0 || got.Get("Content-Length") != "" || got.Get("Transfer-Encoding") != "" {
				t.Errorf("%s: status %d, header %v, body %q", path, got.Status, got.Header, got.Body)
			}
			if next := c.Roundtrip("GET /what_was_closed HTTP/1.1\r\nHost: test\r\n\r\n"); next.Status != 200 {
				t.Errorf("%s: status %d for the next request on the connection", path, next.Status)
			}
		}
	})
}

// The client has the first block before the application makes the second.
func TestStreamIsSentAsItIsMade(t *testing.T) {
	onBoth(t, pyapp.Config{App: "uploads", Threads: 2}, func(t *testing.T, _ *site, server *testserver.Server) {
		for _, path := range []string{"/generates_and_waits", "/writes_and_waits"} {
			c := server.Dial()
			c.Send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
			c.Head("GET")
			if got := c.Chunk(); got != "first" {
				t.Errorf("%s: %q, want the first block", path, got)
			}
			server.Get("/lets_go")
			if got := c.Chunk(); got != "second" {
				t.Errorf("%s: %q, want the second block", path, got)
			}
		}
	})
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
	for _, text := range []string{"printed", "through a stream found at import", "to stderr", "to wsgi.errors", "first of two", "second of two"} {
		s.log.Line(t, `"msg":"`+text+`"`, `"worker":1`, `"request":"`+id+`"`)
	}
	s.log.Line(t, `"msg":"printed"`, `"output":"in two lines"`)
	s.log.Line(t, `"msg":"from C"`, `"worker":1`, `"app":"apps"`)
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
