package cgi_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// text begins an answer.
const text = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"

// TestMetaVariables holds what a script is told of its request (RFC 3875,
// section 4.1).
func TestMetaVariables(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"env": text + "env -0\n", "sub/deep/env": text + "env -0\n"})
		identity := func(*http.Request) (string, string) { return "Basic", "ada" }
		secure := func(*http.Request) string { return "https" }
		tests := []struct {
			name    string
			config  cgi.Config
			request string
			want    map[string]string // "" means that it is not set
		}{
			{"all that is fixed", cgi.Config{}, get("/cgi-bin/env?a=b%20c"), map[string]string{
				"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "Gatehouse", "SERVER_PROTOCOL": "HTTP/1.1",
				"SERVER_NAME": "example.org", "SERVER_PORT": "81", "REQUEST_METHOD": "GET", "REQUEST_SCHEME": "http",
				"REQUEST_URI": "/cgi-bin/env?a=b%20c", "QUERY_STRING": "a=b%20c", "SCRIPT_NAME": "/cgi-bin/env",
				"SCRIPT_FILENAME": filepath.Join(dir, "env"), "DOCUMENT_ROOT": dir, "HTTP_HOST": "example.org:81",
				"REMOTE_ADDR": "127.0.0.1", "REMOTE_HOST": "127.0.0.1", "REMOTE_IDENT": "", "REMOTE_USER": "", "AUTH_TYPE": "",
				"PATH_INFO": "", "PATH_TRANSLATED": "", "CONTENT_LENGTH": "", "CONTENT_TYPE": "", "HTTPS": "",
			}},
			{"protocol as it is", cgi.Config{}, "GET /cgi-bin/env HTTP/1.0\r\n\r\n", map[string]string{"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": ""}},
			{"path", cgi.Config{}, get("/cgi-bin/env/a%20b//c/"), map[string]string{
				"SCRIPT_NAME": "/cgi-bin/env", "PATH_INFO": "/a b//c/", "PATH_TRANSLATED": dir + "/a b/c/", "REQUEST_URI": "/cgi-bin/env/a%20b//c/",
			}},
			{"path with an encoded slash", cgi.Config{}, get("/cgi-bin/env/a%2Fb"), map[string]string{"PATH_INFO": "/a/b"}},
			{"path below another root", cgi.Config{DocumentRoot: "/srv/site"}, get("/cgi-bin/env/x"), map[string]string{
				"PATH_TRANSLATED": "/srv/site/x", "DOCUMENT_ROOT": "/srv/site",
			}},
			{"script in nested folders", cgi.Config{}, get("/cgi-bin/sub/deep/env/x?y"), map[string]string{
				"SCRIPT_NAME": "/cgi-bin/sub/deep/env", "PATH_INFO": "/x", "QUERY_STRING": "y", "PWD": filepath.Join(dir, "sub/deep"),
			}},
			{"encoded script name", cgi.Config{}, get("/cgi-bin/e%6Ev"), map[string]string{"SCRIPT_NAME": "/cgi-bin/env"}},
			{"body", cgi.Config{}, ask("POST", "/cgi-bin/env", "a=b", "Content-Type: text/x"), map[string]string{
				"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "3", "CONTENT_TYPE": "text/x", "HTTP_CONTENT_LENGTH": "", "HTTP_CONTENT_TYPE": "",
			}},
			{"empty body", cgi.Config{}, ask("POST", "/cgi-bin/env", "", "Content-Length: 0"), map[string]string{"CONTENT_LENGTH": "0"}},
			{"any method", cgi.Config{}, ask("PATCH", "/cgi-bin/env", ""), map[string]string{"REQUEST_METHOD": "PATCH"}},
			{"fields", cgi.Config{}, get("/cgi-bin/env", "User-Agent: x", "Accept: a", "Accept: b", "Cookie: c=d", "X-A: 1", "X_A: 2", "X.B: 3", "Proxy: evil"), map[string]string{
				"HTTP_USER_AGENT": "x", "HTTP_ACCEPT": "a, b", "HTTP_COOKIE": "c=d", "HTTP_X_A": "1", "HTTP_X_B": "", "HTTP_X.B": "", "HTTP_PROXY": "",
			}},
			{"passwords", cgi.Config{}, get("/cgi-bin/env", "Authorization: Basic eDp5", "Proxy-Authorization: Basic eDp5"), map[string]string{
				"HTTP_AUTHORIZATION": "", "HTTP_PROXY_AUTHORIZATION": "", "AUTH_TYPE": "", "REMOTE_USER": "",
			}},
			{"passwords, asked for", cgi.Config{PassAuthorization: true}, get("/cgi-bin/env", "Authorization: Basic eDp5", "Proxy-Authorization: Basic eDp5"), map[string]string{
				"HTTP_AUTHORIZATION": "Basic eDp5", "HTTP_PROXY_AUTHORIZATION": "", "REMOTE_USER": "",
			}},
			{"user", cgi.Config{Identity: identity}, get("/cgi-bin/env"), map[string]string{"AUTH_TYPE": "Basic", "REMOTE_USER": "ada"}},
			{"encrypted", cgi.Config{Scheme: secure}, "GET /cgi-bin/env HTTP/1.1\r\nHost: example.org\r\n\r\n", map[string]string{
				"HTTPS": "on", "REQUEST_SCHEME": "https", "SERVER_PORT": "443",
			}},
			{"environment", cgi.Config{Env: []string{"PATH=/bin:/usr/bin", "GREETING=hello", "REQUEST_METHOD=mine"}}, get("/cgi-bin/env"), map[string]string{
				"PATH": "/bin:/usr/bin", "GREETING": "hello", "HOME": "", "GATEHOUSE_TEST_SECRET": "", "REQUEST_METHOD": "GET",
			}},
		}
		t.Setenv("GATEHOUSE_TEST_SECRET", "the server's own")
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				site := w.open(t, dir, tt.config)
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					res := site.serve(t, m).Ask(tt.request)
					env := map[string]string{}
					for pair := range strings.SplitSeq(strings.TrimSuffix(res.Text(), "\x00"), "\x00") {
						name, value, _ := strings.Cut(pair, "=")
						env[name] = value
					}
					if res.Status != 200 || env["HTTP_X_REQUEST_ID"] != res.Get("X-Request-Id") {
						t.Fatalf("%d, request %q, told %q", res.Status, res.Get("X-Request-Id"), env["HTTP_X_REQUEST_ID"])
					}
					for name, want := range tt.want {
						if env[name] != want {
							t.Errorf("%s=%q, want %q", name, env[name], want)
						}
					}
				}, modes...)
			})
		}
	})
}

// TestSearchWords holds the command line (RFC 3875, section 4.4).
func TestSearchWords(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		show := "for a in \"$@\"; do printf '[%s]' \"$a\"; done\n"
		dir := w.folder(t, files{"show": text + show})
		put(t, dir, "show.sh", text+show, 0o644)
		tests := []struct{ method, target, want string }{
			{"GET", "/cgi-bin/show?a+b%20c+%3Dd", "[a][b c][=d]"},
			{"HEAD", "/cgi-bin/show?a", ""},
			{"GET", "/cgi-bin/show?$(id)+;x", "[$(id)][;x]"},
			{"GET", "/cgi-bin/show", ""},
			{"GET", "/cgi-bin/show?a=b", ""},
			{"GET", "/cgi-bin/show?a+b=", ""},
			{"GET", "/cgi-bin/show?a++b", ""},
			{"GET", "/cgi-bin/show?a+%zz", ""},
			{"GET", "/cgi-bin/show?a+%00", ""},
			{"GET", "/cgi-bin/show?-s", ""},       // CVE-2012-1823
			{"GET", "/cgi-bin/show?a+%2dd+b", ""}, // the same, later and encoded
			{"POST", "/cgi-bin/show?a", ""},       // the section is about GET and HEAD
			{"GET", "/cgi-bin/show.sh?a+b", ""},   // chosen by its ending
			{"GET", "/cgi-bin/show.sh/more?a+b", ""},
		}
		s := w.open(t, dir, cgi.Config{}).serve(t, testserver.H1)
		for _, tt := range tests {
			if res := s.Ask(ask(tt.method, tt.target, "")); res.Status != 200 || res.Text() != tt.want {
				t.Errorf("%s %s: %d %q, want %q", tt.method, tt.target, res.Status, res.Text(), tt.want)
			}
		}
	})
}

// TestWhatRuns holds which file a path means and whether it is run. Nothing here
// may ever show the word "source".
func TestWhatRuns(t *testing.T) {
	dir := folder(t, files{
		"ok":              text + "echo ran # source",
		"sub/ok":          text + "echo ran # source",
		"sub/none/":       "",
		"x.jpg":           "source of a picture",
		"x.jpg.d/y.py":    text + "echo ran",
		".hidden":         text + "echo source",
		".git/ok":         text + "echo source",
		"data":            "source without shebang",
		"crlf":            "#!/bin/sh\r\necho source\r\n",
		"python.crlf.py":  "#!/usr/bin/env python3\r\nprint('source')\r\n",
		"noint":           "#!/no/such/interpreter\nsource",
		"noenv":           "#!/usr/bin/env no-such-interpreter\nsource",
		"unreadable":      "#!/etc/passwd\nsource",
		"python2":         "#!/usr/bin/env python2.7.99\nprint 'source'\n",
		"old.py":          "#!/usr/local/bin/python99\nprint('Content-Type: text/plain\\n\\nran')\n",
		"envold.py":       "#!/usr/bin/env python99\nprint('Content-Type: text/plain\\n\\nran')\n",
		"env":             "#!/usr/bin/env sh\nprintf 'Content-Type: text/plain\\n\\nran'\n",
		"envS":            "#!/usr/bin/env -S sh -e\nprintf 'Content-Type: text/plain\\n\\nran'\n",
		"envassign":       "#!/usr/bin/env -S X=1 sh\nprintf \"Content-Type: text/plain\\n\\nran\"\n",
		"perl":            "#!/usr/bin/perl\nprint \"Content-Type: text/plain\\n\\nran\"",
		"writable/by/all": text + "echo source",
	})
	put(t, dir, "plain.py", "print('Content-Type: text/plain\\n\\nran')", 0o644)
	put(t, dir, "UPPER.PY", "print('Content-Type: text/plain\\n\\nran')", 0o644)
	put(t, dir, "plain.pl", "print \"Content-Type: text/plain\\n\\nran\"", 0o644)
	put(t, dir, "off.sh.bak", text+"echo source", 0o644)
	put(t, dir, "group", text+"echo source", 0o775)
	put(t, dir, "all", text+"echo source", 0o757)
	must(t, os.Chmod(filepath.Join(dir, "writable/by"), 0o777))
	must(t, os.Symlink("ok", filepath.Join(dir, "link")))
	must(t, os.Symlink("sub", filepath.Join(dir, "dirlink")))
	must(t, os.Symlink("/bin/sh", filepath.Join(dir, "outlink")))
	tests := []struct {
		target string
		status int
		log    string
	}{
		{"ok", 200, ""},
		{"sub/ok", 200, ""},
		{"sub/ok/more", 200, ""},
		{"plain.py", 200, ""},
		{"UPPER.PY", 200, ""},
		{"plain.pl", 200, ""},
		{"old.py", 200, ""},
		{"envold.py", 200, ""},
		{"env", 200, ""},
		{"envS", 200, ""},
		{"envassign", 200, ""},
		{"perl", 200, ""},
		{"", 403, ""},
		{"sub", 403, ""},
		{"sub/", 403, ""},
		{"x.jpg", 403, "neither a program"},
		{"x.jpg/y.py", 403, "neither a program"},
		{"x.jpg.d/y.py", 200, ""},
		{"off.sh.bak", 403, "chmod +x"},
		{"data", 403, "neither a program"},
		{"none", 404, ""},
		{"ok.py", 404, ""},
		{".hidden", 404, ""},
		{".git/ok", 404, ""},
		{"sub//ok", 404, ""},
		{"sub/./ok", 404, ""},
		{"../cgi-bin/ok", 404, ""},
		{"sub/../ok", 404, ""},
		{"%2e%2e/ok", 404, ""},
		{"ok/../../x", 404, ""},
		{"sub%2Fok", 404, ""},
		{"sub%5Cok", 404, ""},
		{"ok%00", 404, ""},
		{"ok%00.jpg", 404, ""},
		{"ok/%00", 404, ""},
		{strings.Repeat("a", 300), 404, ""},
		{"link", 403, "symbolic link"},
		{"dirlink/ok", 403, "symbolic link"},
		{"outlink", 403, "symbolic link"},
		{"group", 403, "chmod go-w"},
		{"all", 403, "chmod go-w"},
		{"writable/by/all", 403, "chmod go-w"},
		{"crlf", 502, "Windows line ends"},
		{"python.crlf.py", 502, "Windows line ends"},
		{"noint", 502, "/no/such/interpreter"},
		{"noenv", 502, "no-such-interpreter"},
		{"unreadable", 502, "/etc/passwd"},
		{"python2", 502, ":1: the script is written for Python 2"},
	}
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			site := open(t, dir, cgi.Config{})
			s := site.serve(t, testserver.H1)
			for _, tt := range tests {
				res := s.Ask(ask(method, "/cgi-bin/"+tt.target, ""))
				if res.Status != tt.status || strings.Contains(res.Text(), "source") || tt.status == 200 && !strings.HasPrefix(res.Text(), "ran") {
					t.Errorf("%s: %d %q, want %d", tt.target, res.Status, res.Text(), tt.status)
				}
				if tt.log != "" {
					site.log.Line(t, tt.log, "request="+res.Get("X-Request-Id"))
				}
			}
		})
	}
	t.Run("off", func(t *testing.T) {
		s := open(t, dir, cgi.Config{Off: true}).serve(t, testserver.H1)
		for _, tt := range tests {
			want := tt.status
			if want != 404 {
				want = 403
			}
			if res := s.Get("/cgi-bin/" + tt.target); res.Status != want || strings.Contains(res.Text(), "source") {
				t.Errorf("%s: %d %q, want %d", tt.target, res.Status, res.Text(), want)
			}
		}
	})
	t.Run("no interpreters", func(t *testing.T) {
		s := open(t, dir, cgi.Config{Interpreters: map[string]string{}}).serve(t, testserver.H1)
		if res := s.Get("/cgi-bin/plain.py"); res.Status != 403 {
			t.Errorf("%d", res.Status)
		}
	})
	t.Run("writable root", func(t *testing.T) {
		site := open(t, dir, cgi.Config{})
		must(t, os.Chmod(dir, 0o775))
		if res := site.serve(t, testserver.H1).Get("/cgi-bin/ok"); res.Status != 403 {
			t.Errorf("%d", res.Status)
		}
		site.log.Line(t, "chmod go-w "+dir)
		must(t, os.Chmod(dir, 0o755))
	})
}

// Programs that speak of Python 2 are told so, with file and line.
func TestPython2(t *testing.T) {
	dir := folder(t, files{
		"print.py":   "#!/usr/bin/env python3\nimport sys\nprint 'Content-Type: text/html'\n",
		"module.py":  "#!/usr/bin/env python3\n\n\nimport urllib2\n",
		"name.py":    "#!/usr/bin/env python3\nraw_input()\n",
		"raise.py":   "#!/usr/bin/env python3\ndef f():\n    raise ValueError, 'x'\n",
		"caught.py":  "#!/usr/bin/env python3\n\ntry: pass\nexcept ValueError, e: print(e.no)\n",
		"other.py":   "#!/usr/bin/env python3\nif 1 <> 2: pass\n",
		"long.py":    "#!/usr/bin/env python3\n\nx = 10L\n",
		"chevron.py": "#!/usr/bin/env python3\nimport sys\nprint >>sys.stderr, 'x'\n",
		"three.py":   "#!/usr/bin/env python3\nraise ValueError('of Python 3')\n",
		"broken.py":  "#!/usr/bin/env python3\nx = = 3\n",
	})
	put(t, dir, "ending.py", "import sys\nprint 'chosen by its ending'\n", 0o644)
	site := open(t, dir, cgi.Config{})
	s := site.serve(t, testserver.H1)
	for name, line := range map[string]int{
		"print.py": 3, "module.py": 4, "name.py": 2, "raise.py": 3, "caught.py": 4, "other.py": 2, "long.py": 3, "chevron.py": 3, "ending.py": 2,
	} {
		if res := s.Get("/cgi-bin/" + name); res.Status != 502 {
			t.Errorf("%s: %d", name, res.Status)
		}
		site.log.Line(t, fmt.Sprintf("%s/%s:%d: the script is written for Python 2", dir, name, line), "hint=")
	}
	if res := s.Get("/cgi-bin/three.py"); res.Status != 502 {
		t.Errorf("three.py: %d", res.Status)
	}
	site.log.Line(t, "ValueError: of Python 3", "script=", "request=")
	if res := s.Get("/cgi-bin/broken.py"); res.Status != 502 {
		t.Errorf("broken.py: %d", res.Status)
	}
	site.log.Line(t, "SyntaxError: invalid syntax", "broken.py", "request=")
	for _, name := range []string{"three.py", "broken.py"} {
		if strings.Contains(site.log.String(), name+":2: the script is written") {
			t.Errorf("%s, for Python 3, is taken for one for Python 2", name)
		}
	}
}

// A script has three descriptors, the folder it is in, and a session of its own.
func TestProcess(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{
			"fds": text + "ls /proc/self/fd | tr '\\n' ' '\n",
			"pwd": text + "pwd; set -- $(cat /proc/self/stat); echo $5 $6 $$\n",
		})
		s := w.open(t, dir, cgi.Config{}).serve(t, testserver.H1)
		// The fourth is the folder that ls reads. What the server itself has inherited
		// does not get through.
		if res := s.Get("/cgi-bin/fds"); res.Text() != "0 1 2 3 " {
			t.Errorf("descriptors %q", res.Text())
		}
		var pwd string
		var group, session, pid int
		if _, err := fmt.Sscan(s.Get("/cgi-bin/pwd").Text(), &pwd, &group, &session, &pid); err != nil || pwd != dir || group != pid || session != pid {
			t.Errorf("folder %s, group %d, session %d of process %d, %v", pwd, group, session, pid, err)
		}
	})
}
