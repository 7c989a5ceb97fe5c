package cgi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// typed begins an answer of a script in Python.
const typed = "print('Content-Type: text/plain\\n')\n"

// pythons are those of everyPython that scripts are forked from.
func pythons(t *testing.T) []string {
	var fit []string
	for _, python := range everyPython() {
		// What a version manager puts in PATH is a script; PyPy is not run warm.
		out, err := exec.Command(python, "-c", "import os, sys; print(sys.executable, hasattr(os, 'waitid'))").Output()
		must(t, err)
		if path, ok := strings.CutSuffix(string(out), " True\n"); ok {
			fit = append(fit, path)
		}
	}
	return fit
}

// told is what a log record holds beside its text and level.
var told = regexp.MustCompile(`(?m)^time=\S+ | (request|script)=\S+|0x[0-9a-f]+`)

// modules is what tells the folder of one handler's modules from that of another.
var modules = regexp.MustCompile(`gatehouse-modules-\d+`)

// An observation is all that can be seen of a script from outside.
type observation struct {
	status  int
	body    string
	log     []string // its lines, sorted: standard error and the server's own
	written string   // into files
}

// observe has each script answer a request, in folders of their own below dir.
func observe(t *testing.T, w way, dir string, scripts []string, c cgi.Config) []observation {
	t.Helper()
	seen := make([]observation, len(scripts))
	var log *testserver.Log
	// The end of the subtest closes the handler, which completes the log.
	t.Run("observe", func(t *testing.T) {
		site := w.open(t, dir, c)
		cgi.Patient(site.Handler) // the exit status belongs to what is compared
		log = site.log
		s := site.serve(t, testserver.H1)
		for i := range scripts {
			c := s.Dial()
			c.Send(ask("POST", fmt.Sprintf("/cgi-bin/%d/script.py?a=b", i), "some\nbody", "Content-Type: text/plain"))
			if res, err := c.Next("POST"); err != nil {
				seen[i].body = "broken off"
			} else if seen[i].status = res.Status; res.Status == 200 {
				seen[i].body = modules.ReplaceAllString(res.Text(), "")
			}
		}
	})
	for line := range strings.SplitSeq(log.String(), "\n") {
		var i int
		if _, rest, ok := strings.Cut(line, dir+"/"); ok && strings.Contains(line, "/script.py") {
			if _, err := fmt.Sscanf(rest, "%d/", &i); err == nil {
				seen[i].log = append(seen[i].log, told.ReplaceAllString(line, ""))
			}
		}
	}
	for i := range seen {
		slices.Sort(seen[i].log)
		for _, name := range []string{"out", "out2"} {
			path := filepath.Join(dir, strconv.Itoa(i), name)
			b, _ := os.ReadFile(path) // most scripts write none
			seen[i].written += string(b)
			_ = os.Remove(path)
		}
	}
	return seen
}

// TestWarmIsLikeCold runs scripts warm and cold. Nobody must be able to tell.
func TestWarmIsLikeCold(t *testing.T) {
	tests := []struct{ name, script, body, log string }{
		{"answer", typed + "print('hello')\n", "hello\n", ""},
		{"binary answer", "import sys\nsys.stdout.buffer.write(b'Content-Type: text/plain\\n\\n\\xff\\x00')\n", "\xff\x00", ""},
		{"main", typed + "print(__name__, __file__, __doc__, __spec__, __package__, sorted(globals()), type(__loader__).__name__, __builtins__)\n", "*", ""},
		{"main is importable", "import pickle, __main__\nclass A: pass\n" + typed + "print(type(pickle.loads(pickle.dumps(A()))) is A is __main__.A)\n", "True\n", ""},
		{"paths", "import os, sys\n" + typed + "print(sys.argv, sys.path, os.getcwd(), sys.executable, sys.prefix, len(sys.meta_path))\n", "*", ""},
		{"environment", "import os\n" + typed + "e = dict(os.environ)\nfor k in 'LC_CTYPE REMOTE_PORT HTTP_X_REQUEST_ID HTTP_HOST SERVER_PORT'.split(): e.pop(k, 0)\nprint(sorted(e.items()), os.getenv('REQUEST_METHOD'))\n", "*", ""},
		{"environment of a child", "import subprocess\n" + typed + "print(subprocess.check_output('echo $REQUEST_METHOD $CONTENT_LENGTH', shell=True))\n", "b'POST 9\\n'\n", ""},
		{"process", "import os\n" + typed + "print(os.getsid(0) == os.getpgrp() == os.getpid(), os.umask(0), os.getuid(), os.nice(0), os.getgroups())\n", "*", ""},
		{"descriptors", "import os\n" + typed + "print(sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)), [os.get_inheritable(n) for n in range(3)])\n", "[0, 1, 2] [True, True, True]\n", ""},
		{"signals", "import signal\n" + typed + "print([(s, signal.getsignal(s)) for s in range(1, 65) if s not in (32, 33) and signal.getsignal(s) is not signal.SIG_DFL], signal.pthread_sigmask(signal.SIG_BLOCK, []))\n", "*", ""},
		{"signals of a child", "import subprocess\n" + typed + "print(subprocess.check_output(['grep', 'Sig[IBC]', '/proc/self/status']).decode())\n", "*", ""},
		{"streams", "import sys\n" + typed + "for f in sys.stdin, sys.stdout, sys.stderr: print(f.name, f.mode, f.encoding, f.errors, f.line_buffering, getattr(f, 'write_through', 0), f.newlines, f.buffer.name, f.buffer.mode, type(f.buffer), f.fileno(), f.seekable())\n", "*", ""},
		{"input", "import sys\n" + typed + "print(repr(sys.stdin.read(3)), repr(sys.stdin.buffer.read()), repr(sys.stdin.read()))\n", "*", ""},
		{"input by lines", typed + "print(repr(input()), repr(input()))\n", "'some' 'body'\n", ""},
		{"limits", "import resource\n" + typed + "print([resource.getrlimit(i) for i in range(16)])\n", "*", ""},
		{"threads", "import threading, time\n" + typed + "e = threading.Event()\ndef f():\n    threading.main_thread().join()\n    print('after the main thread')\nthreading.Thread(target=f).start()\nprint(threading.current_thread() is threading.main_thread(), threading.active_count())\n", "True 2\nafter the main thread\n", ""},
		{"signal while threads are waited for", "import signal, threading\n" + typed + "e = threading.Event()\ndef f(*_):\n    e.set()\n    raise ValueError('late')\nsignal.signal(signal.SIGUSR1, f)\ndef g():\n    threading.main_thread().join()\n    while not e.wait(0.2): signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)\nthreading.Thread(target=g).start()\n", "", "ValueError: late"},
		{"daemon thread", "import threading\n" + typed + "threading.Thread(target=threading.Event().wait, daemon=True).start()\nprint('ends')\n", "ends\n", ""},

		{"exit 0", typed + "raise SystemExit\n", "", ""},
		{"exit 3", "import sys\n" + typed + "sys.exit(3)\n", "", "status 3"},
		{"exit 256 + 7", "import sys\n" + typed + "sys.exit(263)\n", "", "status 7"},
		{"exit -1", "import sys\n" + typed + "sys.exit(-1)\n", "", "status 255"},
		{"exit True", "import sys\n" + typed + "sys.exit(True)\n", "", "status 1"},
		{"exit with a message", "import sys\n" + typed + "sys.exit('so it ends')\n", "", "so it ends"},
		{"exit by the builtin", typed + "exit(4)\n", "", "status 4"},
		{"exit without ado", "import os\nos.write(1, b'Content-Type: text/plain\\n\\n')\nos._exit(5)\n", "", "status 5"},
		{"exit by a signal", "import os, sys\n" + typed + "sys.stdout.flush()\nos.kill(0, 9)\n", "*", "signal 9"},
		{"exception", typed + "def f():\n    raise ValueError('nö')\ntry:\n    f()\nexcept ValueError:\n    1 / 0\n", "", "ZeroDivisionError"},
		{"exception before the head", "import os\nos.nothing\n", "", "AttributeError"},
		{"exception group of imports", "import nothing_of_that_name\n", "", "ModuleNotFoundError"},
		{"interrupt", typed + "raise KeyboardInterrupt\n", "*", "signal 2"},
		{"hook", "import sys\n" + typed + "def hook(kind, value, trace): print(kind.__name__, value, trace.tb_frame.f_code.co_filename == __file__, trace.tb_next)\nsys.excepthook = hook\n1 / 0\n", "ZeroDivisionError division by zero True None\n", "status 1"},
		{"hook that fails", "import sys\n" + typed + "def hook(*_): [][1]\nsys.excepthook = hook\n1 / 0\n", "", "Original exception was"},
		{"no Python", "def f(:\n", "", "SyntaxError"},
		{"nested too deep", "(" + strings.Repeat("(", 300) + "\n", "", "Error"},
		{"bad encoding", "# coding: nonsense\n", "", "SyntaxError"},
		{"bad bytes", "x = '\xff'\n", "", "SyntaxError"},
		{"encoding", "# coding: latin-1\n" + typed + "print(ascii('\xe4'))\n", "'\\xe4'\n", ""},
		{"warning of the compiler", typed + "print(1 is 1)\n", "True\n", "SyntaxWarning"},
		{"future", "from __future__ import annotations\n" + typed + "def f(x: nothing): pass\nprint(f.__annotations__)\n", "{'x': 'nothing'}\n", ""},

		{"at exit", "import atexit\n" + typed + "atexit.register(print, 'first')\natexit.register(print, 'second')\n", "second\nfirst\n", ""},
		{"at exit, failing", "import atexit\n" + typed + "atexit.register(print, 'still')\natexit.register(lambda: 1 / 0)\n", "still\n", "ZeroDivisionError"},
		{"finalizer", typed + "class A:\n    def __del__(self): print('finalized')\na = A()\n", "finalized\n", ""},
		{"finalizer in a cycle", typed + "class A:\n    def __del__(self): print('finalized')\na = A()\na.a = a\n", "finalized\n", ""},
		{"finalizer of a module", "import other\n" + typed + "other.a = other.A()\n", "other is finalized\n", ""},
		{"files that are not closed", "import json, os, sys\n" + typed + "f = open('out', 'w'); f.write('x' * 10)\njson.f = open('out2', 'w'); json.f.write('y' * 10)\ndef look(): sys.stdout.flush()\n", "", ""},
		{"output that nobody takes", "import os, sys\nos.write(1, b'Content-Type: text/plain\\n\\n')\nprint('lost')\nos.close(1)\n", "", "status 120"},
		{"output that is closed", "import sys\n" + typed + "sys.stdout.close()\n", "", ""},
		{"no output at all", "import sys\n" + typed + "sys.stdout.flush()\nsys.stdout = None\n", "", ""},
		{"exec", "import os, sys\nos.execv('/bin/sh', ['sh', '-c', 'printf \"Content-Type: text/plain\\n\\n\"; ls /proc/self/fd | wc -l; exit 3'])\n", "4\n", "status 3"},
		{"module beside it", "import other\n" + typed + "print(other.__file__, other.__name__)\n", "*", ""},
		{"child processes", "import multiprocessing\n" + typed + "import sys\nsys.stdout.flush()\nc = multiprocessing.get_context('fork')\np = c.Process(target=print, args=('child',)); p.start(); p.join(); print(p.exitcode)\n", "child\n0\n", ""},
	}
	for _, python := range pythons(t) {
		t.Run(filepath.Base(filepath.Dir(filepath.Dir(python))), func(t *testing.T) {
			dir := folder(t, nil)
			scripts := make([]string, len(tests))
			for i, tt := range tests {
				scripts[i] = tt.script
				sub := filepath.Join(dir, strconv.Itoa(i))
				put(t, sub, "other.py", "class A:\n    def __del__(self): print(__name__, 'is finalized')\n", 0o644)
				put(t, sub, "script.py", tt.script, 0o644)
				age(t, filepath.Join(sub, "script.py"))
				age(t, sub)
			}
			c := cgi.Config{Python: python, KillGrace: -1}
			cold, warm := observe(t, way{}, dir, scripts, c), observe(t, way{warm: true}, dir, scripts, c)
			for i, tt := range tests {
				if !reflect.DeepEqual(cold[i], warm[i]) {
					t.Errorf("%s\ncold: %+v\nwarm: %+v", tt.name, cold[i], warm[i])
				}
				if tt.body != "*" && cold[i].body != tt.body || !strings.Contains(strings.Join(cold[i].log, "\n"), tt.log) {
					t.Errorf("%s\ncold: %+v, want %q and log %q", tt.name, cold[i], tt.body, tt.log)
				}
			}
		})
	}
}

// A script that is saved again is served as it is now, at once and later.
func TestEditedScript(t *testing.T) {
	dir := folder(t, files{"script.py": ""})
	s := way{warm: true}.open(t, dir, cgi.Config{}).serve(t, testserver.H1)
	for i, age := range []time.Duration{0, 0, time.Hour, time.Hour, 2 * time.Hour, 0} {
		put(t, dir, "script.py", fmt.Sprintf("%sprint(%d)\n", typed, i), 0o644)
		saved := time.Now().Add(-age - time.Duration(i)*time.Minute)
		if age != 0 {
			must(t, os.Chtimes(filepath.Join(dir, "script.py"), saved, saved))
		}
		for range 2 {
			if res := s.Get("/cgi-bin/script.py"); res.Text() != fmt.Sprintf("%d\n", i) {
				t.Errorf("version %d: %d %q", i, res.Status, res.Text())
			}
		}
	}
}

// A script that writes into its own folder, as guestbooks do, is looked at anew for
// each request, and runs warm all the same.
func TestChangingFolder(t *testing.T) {
	dir := folder(t, files{"script.py": typed + "open('note', 'a').write('x')\nprint(len(open('note').read()))\n"})
	age(t, filepath.Join(dir, "script.py"))
	s := way{warm: true}.open(t, dir, cgi.Config{}).serve(t, testserver.H1)
	for n := range 3 {
		if res := s.Get("/cgi-bin/script.py"); res.Text() != fmt.Sprintln(n+1) {
			t.Errorf("%d %q", res.Status, res.Text())
		}
	}
}

// A module that another script has made known to the interpreter hides no module
// beside a script.
func TestHiddenModule(t *testing.T) {
	dir := folder(t, files{
		"first.py":      "import json\n" + typed + "print(json.dumps(1))\n",
		"sub/script.py": "import json\n" + typed + "print(json.mine)\n",
		"sub/json.py":   "mine = 2\n",
	})
	age(t, filepath.Join(dir, "first.py"))
	site := open(t, dir, cgi.Config{Warm: true})
	for i, path := range []string{"/cgi-bin/first.py", "/cgi-bin/sub/script.py"} {
		res := httptest.NewRecorder()
		site.ServeHTTP(res, httptest.NewRequest(http.MethodGet, path, nil))
		if want := fmt.Sprintln(i + 1); res.Code != http.StatusOK || res.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", path, res.Code, res.Body, want)
		}
	}
	site.log.Line(t, "a script is run cold", "json")
}

// What would behave differently warm, or has nothing to be forked from, runs cold.
func TestRunCold(t *testing.T) {
	old := folder(t, files{"python": "#!/bin/sh\ncase $1 in -c) exit 9;; *) exec python3 \"$@\";; esac\n"})
	tests := []struct {
		name   string
		files  files
		python string
		query  string
		want   string
		log    string
	}{
		{"module beside it", files{"script.py": "import json\n" + typed + "print(json.mine)\n", "json.py": "mine = 1\n"}, "", "", "1\n", ""},
		{"options", files{"script.py": "#!/usr/bin/env -S python3 -O\n" + typed + "print(__debug__)\n"}, "", "", "False\n", ""},
		{"no interpreter", files{"script.py": "#!/usr/bin/python99\n" + typed + "print(1)\n"}, filepath.Join(old, "python"), "", "1\n", "they are run without"},
		{"much to tell", files{"script.py": "#!/usr/bin/env python3\nimport os\n" + typed + "print(len(os.environ['HTTP_X']))\n"}, "", strings.Repeat("x", 62000), "62000\n", "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			site := open(t, dir, cgi.Config{Warm: true, Python: tt.python})
			r := httptest.NewRequest(http.MethodGet, "/cgi-bin/script.py", nil)
			r.Header.Set("X", tt.query)
			res := httptest.NewRecorder()
			site.ServeHTTP(res, r)
			if res.Code != 200 || res.Body.String() != tt.want {
				t.Errorf("%d %q", res.Code, res.Body)
			}
			if tt.log != "" {
				site.log.Line(t, tt.log)
			}
		})
	}
}
