//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The folders that servers are started in have all that is embedded, packages included.
func TestWriteFixtures(t *testing.T) {
	s := settings{dir: t.TempDir(), out: io.Discard}
	if err := writeFixtures(s); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"site/1k.html": "<p>sixteen bytes<p>", "app/hello.py": "def application(", "app/shop/__init__.py": "", "httpd.conf": "ServerLimit 1",
	} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s = %.40q, %v; want %q in it", name, text, err, want)
		}
	}
}

// The applications that need no framework keep to PEP 3333.
func TestApplicationsAreValid(t *testing.T) {
	const program = `
import importlib, io, sys
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator
for name, method, query, body in [("hello", "GET", "", b""), ("nap", "GET", "", b""), ("bulk", "GET", "70000", b""), ("bulk", "POST", "", b"x" * 70000)]:
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": query, "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    setup_testing_defaults(environ)
    heads = []
    result = validator(importlib.import_module(name).application)(environ, lambda status, headers, exc_info=None: heads.append((status, dict(headers))))
    answer = b"".join(result)
    result.close()
    print(name, method, heads[0][0], heads[0][1].get("Content-Length", ""), len(answer))
`
	cmd := exec.Command("python3", "-B", "-W", "error", "-c", program)
	cmd.Dir = "testdata/app"
	out, err := cmd.CombinedOutput()
	want := "hello GET 200 OK 12 12\nnap GET 200 OK 5 5\nbulk GET 200 OK  70000\nbulk POST 200 OK 5 5\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant:\n%s", err, out, want)
	}
}

// The bare view is called with what the applications need.
func TestBareView(t *testing.T) {
	cmd := exec.Command("python3", "-B", "-W", "error", "bare.py", "hello:application", "0.01")
	cmd.Dir = "testdata/app"
	out, err := cmd.CombinedOutput()
	var micros float64
	if err == nil {
		_, err = fmt.Sscan(string(out), &micros)
	}
	if err != nil || micros <= 0 || micros > 1e6 {
		t.Errorf("bare.py printed %q, %v", out, err)
	}
}
