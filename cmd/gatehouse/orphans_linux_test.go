package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// orphanApp is an application whose processes are each hard to end in another
// way: at import, or in a request, as the file named "act" says. It writes
// "begun" when it is.
const orphanApp = `import ctypes, os, signal, subprocess, sys, threading, time

def begun():
    with open("begun", "w"):
        pass

def busy():
    begun()
    while True:
        pass

def stuck_in_c():
    libc, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    begun()
    libc.pthread_mutex_lock(mutex)

def ignores_signals():
    for n in range(1, signal.NSIG):
        try:
            signal.signal(n, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    begun()
    while True:
        time.sleep(60)

def has_children():
    deaf = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15, 47)]; time.sleep(600)"
    for command in (["sleep", "600"], [sys.executable, "-c", deaf], ["sh", "-c", "sleep 600 & sleep 600"]):
        subprocess.Popen(command)
    begun()
    time.sleep(600)

def forks():
    for generation in range(5):  # 32 processes
        os.fork()
    begun()
    time.sleep(600)

def reads_lines():
    subprocess.run(["sh", "-c", "touch begun; read line"], stdin=os.pipe()[0])

def act(when):
    with open("act") as file:
        at, name = file.read().split()
    if at == when and name != "nothing":
        globals()[name]()

act("import")

def application(environ, start_response):
    act("request")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answer\n"]
`

// Nothing that the server started outlives it by a second, however it dies and
// whatever its processes are doing.
func TestNothingSurvivesTheServer(t *testing.T) {
	tests := []struct {
		name  string
		act   string
		flags []string
		acts  []string // of reloads behind the first
	}{
		{name: "idle", act: "request nothing"},
		{name: "busy in Python", act: "request busy"},
		{name: "busy in a thread of several", act: "request busy", flags: []string{"--threads", "4"}},
		{name: "stuck in C", act: "request stuck_in_c"},
		{name: "deaf", act: "request ignores_signals"},
		{name: "with children", act: "request has_children"},
		{name: "waiting for a child", act: "request reads_lines"},
		{name: "a crowd", act: "request forks"},
		{name: "importing", act: "import busy"},
		{name: "importing, stuck in C", act: "import stuck_in_c"},
		{name: "importing, deaf", act: "import ignores_signals"},
		{name: "importing, with children", act: "import has_children"},
		{name: "importing, a crowd", act: "import forks"},
		{name: "reloading, with children", act: "request nothing", acts: []string{"import has_children"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("app.py", orphanApp)
			write("act", tt.act)
			s := newServer(dir, os.Environ(), append([]string{"run", "--listen", "127.0.0.1:0", "--workers", "2", "app:application"}, tt.flags...))
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
			defer s.kill()
			if strings.HasPrefix(tt.act, "request") {
				text, err := s.await(regexp.MustCompile(`http://[^ ]+/`), s.errOut)
				if err != nil {
					t.Fatalf("%v; it wrote:\n%s", err, text)
				}
				if tt.act != "request nothing" {
					conn, err := dial(t.Context(), regexp.MustCompile(`http://[^ ]+/`).FindString(text))
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
				}
			}
			for _, act := range tt.acts {
				write("act", act)
				if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
			}
			if tt.act != "request nothing" || len(tt.acts) > 0 {
				await(t, filepath.Join(dir, "begun"))
			}
			if n := len(s.processes()); n < 2 {
				t.Fatalf("there are %d processes", n)
			}
			s.killAndWatch(t)
		})
	}
}

// killAndWatch kills the server and fails the test if what it started lives a
// second later.
func (s *server) killAndWatch(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	left := s.processes()
	for ; len(left) > 0 && time.Since(killed) < time.Second; left = s.processes() {
	}
	if len(left) == 0 {
		return
	}
	t.Errorf("processes that live a second after the server: %s", strings.Join(left, ", "))
	for _, pid := range left { // they have been seen to live
		if n, err := strconv.Atoi(pid); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// await waits for a file.
func await(t *testing.T, file string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if _, err := os.Stat(file); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not appear", file)
		}
	}
}

// The same holds for scripts, many at a time and in any language.
func TestNoScriptSurvivesTheServer(t *testing.T) {
	dir := t.TempDir()
	scripts := map[string]string{
		"shell":  "#!/bin/sh\ntrap '' TERM HUP INT\nsleep 600 >/dev/null 2>&1 &\nsh -c 'sleep 600 & wait' &\necho begun >&2\nwhile :; do wait; done\n",
		"perl":   "#!/usr/bin/perl\n$SIG{$_} = 'IGNORE' for qw(TERM HUP INT);\nfork; fork;\nsyswrite STDERR, \"begun\\n\";\nsleep 600 while 1;\n",
		"python": "#!/usr/bin/env python3\nimport os, subprocess, sys\nchild = subprocess.Popen(['sleep', '600'])\nos.write(2, b'begun\\n')\nchild.wait()\n",
	}
	bin := filepath.Join(dir, "cgi-bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, bin, filepath.Join(bin, "shell"), filepath.Join(bin, "perl"), filepath.Join(bin, "python")} {
		if err := os.Chmod(path, 0o755); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	s := newServer(dir, os.Environ(), []string{"--listen", "127.0.0.1:0", "--cgi-scripts", "9", "--cgi", dir})
	s.cmd.Args = append(s.cmd.Args, "--cgi-env", s.mark) // by which scripts are found
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	text, err := s.await(regexp.MustCompile(`http://[^ ]+/`), s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	for range 3 {
		for name := range scripts {
			conn, err := dial(t.Context(), regexp.MustCompile(`http://[^ ]+/`).FindString(text))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /cgi-bin/%s HTTP/1.1\r\nHost: test\r\n\r\n", name)
		}
	}
	// Of Perl, four processes say so.
	if text, err := s.await(regexp.MustCompile(`(?s)(begun.*){18}`), s.errOut); err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	if n := len(s.processes()); n < 1+3*(3+4+2) { // the shell in the shell may have begun nothing yet
		t.Fatalf("there are %d processes", n)
	}
	s.killAndWatch(t)
}
