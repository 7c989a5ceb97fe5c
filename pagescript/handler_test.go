package pagescript_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// TestPages asks for pages of each kind by each spelling of a path.
func TestPages(t *testing.T) {
	dir := folder(t, files{
		"wsgi.py":             says(`"%s %s %s %s" % tuple(map(environ.get, ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")))`),
		"sub/deep/my-page.py": says(`__name__ + " " + environ["SCRIPT_NAME"]`),
		"platform.py":         says(`"mine"`),
		"beside.py":           "import _module\n" + says("_module.VALUE"),
		"_module.py":          "VALUE = 'from a module'\n",
		"print.py":            "import os, sys\nprint('<p>ä', sys.argv[1:], *map(os.environ.get, ('SCRIPT_NAME', 'PATH_INFO')))\n",
		"head.py":             "print('Content-Type: text/plain\\nStatus: 418\\n\\ntea')\n",
		"moved.py":            "print('Location: /wsgi.py/moved?x\\n')\n",
		"echo.py":             "import sys\nsys.stdout.write(sys.stdin.read())\n",
		"env.py":              says("[v for v in environ if 'SECRET' in v] + [v for v in __import__('os').environ if 'SECRET' in v]"),
		"broken.py":           "raise RuntimeError('secret of the source')\n",
		"nothing.py":          "SECRET = 'secret of the source'\n",
		"wrong.py":            "def application(environ, start_response):\n    start_response('HTTP/1.1 200 OK', [])\n    return ['secret of the source']\n",
		"loose.py":            says("'ran'"),
		"notes.txt/x.py":      "print('ran')\n",
		"data.txt":            "secret of the source",
		".hidden.py":          "print('ran')\n",
		"__init__.py":         "",
		"_private/x.py":       "print('ran')\n",
		"package/__init__.py": "",
		"package/x.py":        "print('ran')\n",
		"venv/pyvenv.cfg":     "",
		"venv/bin/x.py":       "print('ran')\n",
		"folder.py/x.txt":     "secret of the source",
	})
	must(t, os.Chmod(filepath.Join(dir, "loose.py"), 0o664))
	must(t, os.Symlink("wsgi.py", filepath.Join(dir, "link.py")))
	must(t, os.Symlink("sub", filepath.Join(dir, "linked")))
	t.Setenv("GATEHOUSE_TEST_SECRET", "the server's own")
	config := quick()
	config.Scripts.QueryArgument = true
	site := open(t, dir, config)
	tests := []struct {
		request string
		status  int
		body    string // "*" means any
	}{
		{get("/wsgi.py"), 200, "GET /wsgi.py  "},
		{get("/wsgi.py/extra/more%20?a=1&b=%20"), 200, "GET /wsgi.py /extra/more  a=1&b=%20"},
		{get("/wsgi.py/"), 200, "GET /wsgi.py / "},
		{get("/ws%67i%2Epy/x"), 200, "GET /wsgi.py /x "},
		{"PUT /wsgi.py HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx", 200, "PUT /wsgi.py  "},
		{get("/sub/deep/my-page.py"), 200, "my-page /sub/deep/my-page.py"},
		{get("/platform.py"), 200, "mine"},
		{get("/beside.py"), 200, "from a module"},
		{get("/print.py"), 200, "<p>ä [''] /print.py None\n"},
		{get("/print.py/more?a=1&b=2"), 200, "<p>ä ['a=1&b=2'] /print.py /more\n"},
		{get("/head.py"), 418, "tea\n"},
		{get("/moved.py"), 200, "GET /wsgi.py /moved x"},
		{"POST /echo.py HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody", 200, "body"},
		{"POST /echo.py HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", 200, "body"},
		{get("/env.py"), 200, "[]"},

		{get("/"), 200, "a file"},
		{get("/index.html"), 200, "a file"},
		{get("/data.txt"), 200, "a file"},
		{get("/wsgi.pyc"), 200, "a file"}, // which those have to keep to themselves

		{get("/none.py"), 404, "no such page\n"},
		{get("/none/x.py"), 404, "no such page\n"},
		{get("/WSGI.PY"), 404, "no such page\n"},
		{get("/.hidden.py"), 404, "no such page\n"},
		{get("/__init__.py"), 404, "no such page\n"},
		{get("/_module.py"), 404, "no such page\n"},
		{get("/_private/x.py"), 404, "no such page\n"},
		{get("/package/x.py"), 404, "no such page\n"},
		{get("/venv/bin/x.py"), 404, "no such page\n"},
		{get("/data.txt/x.py"), 404, "no such page\n"},
		{get("/../wsgi.py"), 404, "no such page\n"},
		{get("/sub/%2e%2e/wsgi.py"), 404, "no such page\n"},
		{get("/sub/..%2fwsgi.py"), 404, "no such page\n"},
		{get("/sub%2Fdeep%2Fmy-page.py"), 404, "no such page\n"},
		{get("/wsgi.py%2Fextra"), 404, "no such page\n"},
		{get("/wsgi%00.py"), 404, "no such page\n"},
		{get("//wsgi.py"), 404, "no such page\n"},
		{get("/./wsgi.py"), 404, "no such page\n"},

		{get("/loose.py"), 403, "*"},
		{get("/link.py"), 403, "*"},
		{get("/linked/deep/my-page.py"), 403, "*"},
		{get("/folder.py/"), 403, "*"},
		{get("/folder.py/x.txt"), 404, "no such page\n"},

		{get("/broken.py"), 502, "*"},
		{get("/nothing.py"), 502, "*"},
		{get("/wrong.py"), 500, "*"},
	}
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		server := site.serve(t, m)
		for _, tt := range tests {
			if m == testserver.NetHTTP && strings.Contains(tt.request, "%00") {
				continue // refused before any handler
			}
			res := server.Ask(tt.request)
			if res.Status != tt.status || tt.body != "*" && res.Text() != tt.body {
				t.Errorf("%.60q: %d %q, want %d %q", tt.request, res.Status, res.Text(), tt.status, tt.body)
			}
			if strings.Contains(res.Text(), "secret") || strings.Contains(res.Text(), "start_response") {
				t.Errorf("%.60q shows source: %q", tt.request, res.Text())
			}
			if strings.HasPrefix(tt.request, "GET /print.py") && res.Get("Content-Type") != cgi.BareType {
				t.Errorf("%.60q has the type %q", tt.request, res.Get("Content-Type"))
			}
		}
	}, modes...)
	site.log.Line(t, "RuntimeError: secret of the source", "broken.py") // the traceback
	site.log.Line(t, "HTTP/1.1 200 OK", "wrong.py:2", "PEP 3333")
	site.log.Line(t, "loose.py can be changed by others")
	if entries, err := filepath.Glob(filepath.Join(dir, "__pycache__", "*")); err != nil || len(entries) > 0 {
		t.Errorf("byte code beside the pages: %q, %v", entries, err)
	}
}

// Nothing runs, and nothing is shown, where execution is off.
func TestOff(t *testing.T) {
	config := quick()
	config.Scripts.Off = true
	site := open(t, folder(t, files{"wsgi.py": says("1"), "print.py": "print('ran')\n"}), config)
	server := site.serve(t, testserver.H1)
	for target, want := range map[string]int{"/wsgi.py": 403, "/print.py": 403, "/none.py": 404, "/x.html": 200} {
		if res := server.Get(target); res.Status != want || strings.Contains(res.Text(), "print") {
			t.Errorf("%s: %d %q", target, res.Status, res.Text())
		}
	}
}

// The zero values of the handlers answer, and a folder that is not there is told.
func TestDefaults(t *testing.T) {
	h, err := pagescript.Open(pagescript.Config{Scripts: cgi.Config{Dir: folder(t, files{"a.py": "print(1)\n"})}})
	must(t, err)
	server := testserver.Start(t, testserver.H1, h.ServeHTTP)
	for target, want := range map[string]int{"/a.py": 200, "/b.py": 404, "/": 404} {
		if res := server.Get(target); res.Status != want {
			t.Errorf("%s: %d", target, res.Status)
		}
	}
	must(t, h.Close())
	if res := server.Get("/a.py"); res.Status != http.StatusServiceUnavailable {
		t.Errorf("after Close: %d", res.Status)
	}
	if _, err := pagescript.Open(pagescript.Config{Scripts: cgi.Config{Dir: "no-such-folder"}}); err == nil || !strings.Contains(err.Error(), "no-such-folder") {
		t.Errorf("error %v", err)
	}
}

func get(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n" }
