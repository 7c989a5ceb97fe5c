package cgi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// Whatever a script has started in its group dies with a server that is killed,
// within a second: also where the script runs as somebody else, and where it is
// limited.
func TestFamilyOfServerThatIsKilled(t *testing.T) {
	// The scripts wait before they start anything: what they start before the server
	// has its hands on the lifeline is not held by it, and that thread may have to
	// wait for a processor.
	deaf := "#!/bin/sh\ntrap '' TERM HUP INT IO USR1 PIPE\nsleep 1\n"
	tests := []struct {
		name, script string
		members      int
		env          []string
	}{
		{"shell", deaf + "sleep 600 >/dev/null 2>&1 & echo $! >>pids\nsh -c 'echo $$ >>pids; sleep 600 & echo $! >>pids; wait' &\necho $$ >>pids; while :; do wait; done\n", 4, nil},
		{"perl", "#!/usr/bin/perl\n$SIG{$_} = 'IGNORE' for qw(TERM HUP INT IO); sleep 1; fork; fork; open F, '>>', 'pids'; syswrite F, \"$$\\n\"; sleep 600 while 1;\n", 4, nil},
		{"limited", deaf + "sleep 600 & echo $! >>pids; echo $$ >>pids; while :; do wait; done\n", 2, []string{"FILES=100"}},
		{"by somebody else", deaf + "sleep 600 & echo $! >>pids; echo $$ >>pids; while :; do wait; done\n", 2, []string{"USER_ID=61234"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "by somebody else" && os.Getuid() != 0 {
				return // nobody but root runs scripts as somebody else; TestUser is about that
			}
			dir := folder(t, files{"sleeps": tt.script})
			put(t, dir, "pids", "", 0o666)
			c := testserver.StartChild(t, "server", append(tt.env, "SCRIPTS="+dir)...)
			var server int
			if _, err := fmt.Sscan(c.Line(), &server); err != nil {
				t.Fatal(err)
			}
			all := pids(t, filepath.Join(dir, "pids"), tt.members)
			for _, pid := range all {
				if !alive(pid) {
					t.Errorf("process %d has ended before the server", pid)
				}
			}
			p, err := os.FindProcess(server)
			must(t, err)
			must(t, p.Kill())
			killed := time.Now()
			awaitDeath(t, all)
			if took := time.Since(killed); took > time.Second {
				t.Errorf("the last one ended after %v", took)
			}
		})
	}
}

// The kernel's own signal is for nobody but the dead server's groups: the end of
// one script touches no other.
func TestEndOfAScriptTouchesNoOther(t *testing.T) {
	dir := folder(t, files{"waits": text + "echo $$ >>pids; read x <fifo; echo done\n", "quick": text + "sleep 600 >/dev/null & echo quick\n"})
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	s := open(t, dir, cgi.Config{}).serve(t, testserver.H1)
	waits := s.Dial()
	waits.Send(get("/cgi-bin/waits"))
	running := pids(t, filepath.Join(dir, "pids"), 1)
	for range 20 { // over a lifeline that was another's before
		if res := s.Get("/cgi-bin/quick"); res.Text() != "quick\n" {
			t.Errorf("%d %q", res.Status, res.Text())
		}
	}
	if !alive(running[0]) {
		t.Error("a script has been ended with another")
	}
	must(t, os.WriteFile(fifo, []byte("go\n"), 0))
	if res := waits.Response("GET"); res.Text() != "done\n" {
		t.Errorf("%d %q", res.Status, res.Text())
	}
}
