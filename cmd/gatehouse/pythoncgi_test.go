package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLikePythonsServer holds what python -m http.server --cgi did, as Python's own
// tests had it, against the binary. Where we differ on purpose, why says so.
func TestLikePythonsServer(t *testing.T) {
	const page = "#!/usr/bin/env python3\nimport os, sys\nprint('Content-Type: text/html')\nprint()\n"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cgi-bin/hello.py":           page + "print('Hello World')\n",
		"cgi-bin/post.py":            page + "import urllib.parse\nform = urllib.parse.parse_qs(sys.stdin.read())\nprint('%s, %s, %s' % tuple(form[n][0] for n in ('spam', 'eggs', 'bacon')))\n",
		"cgi-bin/query.py":           page + "print(os.environ['QUERY_STRING'])\n",
		"cgi-bin/environ.py":         page + "for name in sorted(os.environ): print(name + '=' + os.environ[name])\n",
		"cgi-bin/child-dir/hello.py": page + "print('Hello Child')\n",
		"htbin/hello.py":             page + "print('Hello htbin')\n",
		"cgi-bin/env":                "#!/bin/sh\necho Content-Type: text/plain\necho\nenv\n",
		"nocgi.py":                   "print('not to be run')\n",
		"sub/dir/cgi-bin/hello.py":   page + "print('Hello Sub')\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Whatever the umask.
	if err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o755)
	}); err != nil {
		t.Fatal(err)
	}
	s := newServer(dir, append(os.Environ(), "SECRET=of the server"), []string{"--listen", "127.0.0.1:0", "--access-log", "off", "--cgi", dir})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	text, err := s.await(regexp.MustCompile(`http://[^ ]+/`), s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	url := regexp.MustCompile(`http://[^ ]+/`).FindString(text)

	const form = "spam=1&eggs=python&bacon=123456"
	tests := []struct {
		name, head, body string
		status           int
		want             string // the body, or, in slashes, an expression that it matches
		why              string // that Python's server answered otherwise
	}{
		{name: "script", head: "GET /cgi-bin/hello.py", status: 200, want: "Hello World\n"},
		{name: "HEAD", head: "HEAD /cgi-bin/hello.py", status: 200, want: ""},
		{name: "the other folder", head: "GET /htbin/hello.py", status: 200, want: "Hello htbin\n"},
		{name: "form", head: fmt.Sprintf("POST /cgi-bin/post.py HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d", len(form)), body: form, status: 200, want: "1, python, 123456\n"},
		{name: "no such script", head: "GET /cgi-bin/invalid", status: 404, want: "/404/"},
		{name: "authorization", head: "GET /cgi-bin/hello.py HTTP/1.1\r\nAuthorization: Basic dXNlcm5hbWU6cGFzcw==", status: 200, want: "Hello World\n"},
		{name: "encoded name", head: "GET /cgi-bin/hell%6F.py", status: 200, want: "Hello World\n"},
		{name: "child folder", head: "GET /cgi-bin/child-dir/hello.py", status: 200, want: "Hello Child\n"},
		{name: "two question marks", head: "GET /cgi-bin/query.py?a=b?c=d", status: 200, want: "a=b?c=d\n"},
		{name: "slashes in the query", head: "GET /cgi-bin/query.py?k=aa%2F%2Fbb&//q//p//=//a//b//", status: 200, want: "k=aa%2F%2Fbb&//q//p//=//a//b//\n"},
		{name: "Accept once", head: "GET /cgi-bin/environ.py HTTP/1.1\r\nAccept: text/html", status: 200, want: `/(?m)^HTTP_ACCEPT=text/html$/`},
		{name: "Accept twice", head: "GET /cgi-bin/environ.py HTTP/1.1\r\nAccept: text/html\r\nAccept: text/plain", status: 200, want: `/(?m)^HTTP_ACCEPT=text/html, ?text/plain$/`},
		{name: "path behind a script", head: "GET /cgi-bin/environ.py/a/b?c", status: 200, want: `/(?s)PATH_INFO=/a/b\n.*QUERY_STRING=c\n.*SCRIPT_NAME=/cgi-bin/environ\.py\n/`},
		{name: "a file outside", head: "GET /nocgi.py", status: 200, want: "print('not to be run')\n"},
		{name: "many slashes and a way up", head: "GET ///////////nocgi.py/../cgi-bin/nothere.sh", status: 404, want: "/404/", why: ""},
		{name: "into the folder by a way up", head: "GET /sub/../cgi-bin/hello.py", status: 404, want: "/404/", why: "it ran the script; browsers resolve such paths, nobody sends them who does not hope for something"},
		{name: "encoded slash", head: "GET /cgi-bin%2Fhello.py", status: 404, want: "/404/", why: "it ran the script; a slash that is encoded separates nothing (RFC 3986, section 2.2)"},
		{name: "no slash in front", head: "GET cgi-bin/hello.py", status: 400, want: "/request target/", why: "it ran the script; that is no request target (RFC 9112, section 3.2)"},
		{name: "folder of scripts", head: "GET /cgi-bin/", status: 403, want: "/403/"},
		{name: "POST to a file", head: "POST /nocgi.py HTTP/1.1\r\nContent-Length: 0", status: 405, want: "/405/", why: "501; the method is known, and not for files"},
		{name: "a folder further down", head: "GET /sub/dir/cgi-bin/hello.py", status: 200, want: "/^#!/"},
		{name: "environment", head: "GET /cgi-bin/env", status: 200, want: `/\A(?:(?:GATEWAY_INTERFACE|SERVER_\w+|REQUEST_\w+|SCRIPT_\w+|REMOTE_\w+|HTTP_\w+|QUERY_STRING|DOCUMENT_ROOT|PATH|PWD|SHLVL|_)=.*\n)+\z/`, why: "it passed all of its own on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := tt.head
			if !strings.Contains(head, " HTTP/1.1") {
				head += " HTTP/1.1"
			}
			conn, err := dial(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, head+"\r\nHost: localhost\r\nConnection: close\r\n\r\n"+tt.body); err != nil {
				t.Fatal(err)
			}
			method, _, _ := strings.Cut(head, " ")
			resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			matches := string(body) == tt.want
			if pattern, ok := strings.CutPrefix(tt.want, "/"); ok {
				matches = regexp.MustCompile(strings.TrimSuffix(pattern, "/")).Match(body)
			}
			if resp.StatusCode != tt.status || !matches {
				t.Errorf("%d %q, want %d %q", resp.StatusCode, body, tt.status, tt.want)
			}
		})
	}
}
