package main

import (
	"io"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// resize gives a terminal a size.
func resize(t *testing.T, f *os.File, columns, rows uint16) {
	t.Helper()
	size := struct{ rows, columns, x, y uint16 }{rows, columns, 0, 0}
	onTerminal(t, f, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

// watched is a command on a terminal of its own.
type watched struct {
	*server
	master, slave *os.File
	screen        *output
}

// watchTerminal starts gatehouse with args on a terminal of 80 columns.
func watchTerminal(t *testing.T, dir string, env []string, args ...string) *watched {
	t.Helper()
	w := &watched{server: newServer(dir, env, args), screen: newOutput()}
	w.master, w.slave = openTerminal(t)
	resize(t, w.master, 80, 24)
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = w.slave, w.slave, w.slave
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := w.start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(w.screen, w.master) // until the terminal is closed
	}()
	t.Cleanup(func() {
		w.kill()
		w.slave.Close()
		w.master.Close()
		<-done
	})
	return w
}

// shows waits until the terminal has been sent what matches, also what the command
// has written before it ended.
func (w *watched) shows(t *testing.T, pattern string) {
	t.Helper()
	expected := regexp.MustCompile(pattern)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		text, more := w.screen.look()
		if expected.MatchString(text) {
			return
		}
		select {
		case <-more:
		case <-timer.C:
			t.Fatalf("the terminal did not get %s but %q", pattern, text)
		}
	}
}

// press types a key.
func (w *watched) press(t *testing.T, key string) {
	t.Helper()
	if _, err := io.WriteString(w.master, key); err != nil {
		t.Fatal(err)
	}
}

// houseOfApps starts a server with two applications, and returns its folder and
// the environment by which commands find it.
func houseOfApps(t *testing.T) (s *server, dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"site/index.html": "welcome", "heap/notes.txt": "private"} {
		path := filepath.Join(dir, "webapps", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run, err := os.MkdirTemp("", "gh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	env = []string{"PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + run, "LANG=C.UTF-8", "TERM=xterm"}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s = newServer(dir, env, []string{"run", "--user", me.Username, ".", "0"})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	if text, err := s.await(regexp.MustCompile(`ready`), s.errOut); err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	return s, dir, env
}

// TestTop watches a server on a terminal.
func TestTop(t *testing.T) {
	_, dir, env := houseOfApps(t)
	w := watchTerminal(t, dir, env, "top")
	w.shows(t, `\x1b\[\?1049h\x1b\[\?25l`) // the other screen, without a cursor
	w.shows(t, `(?s)\x1b\[H.*\x1b\[7mAPP +STATE.*MEMORY\x1b\[0m`)
	w.shows(t, `\x1b\[31m/heap +failed`)
	w.press(t, "s")
	w.shows(t, `(?s)(\x1b\[H.*){2}`) // drawn anew
	resize(t, w.master, 40, 6)
	w.shows(t, `(?s)\x1b\[J\x1b\[H[^\n]*~`) // and narrower
	w.press(t, "q")
	status, err := w.end()
	if err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
	w.shows(t, `\x1b\[\?25h\x1b\[\?1049l`)
}

// TestTopEnds ends a terminal's top in the other ways there are.
func TestTopEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(t *testing.T, s *server, w *watched)
		status int
		shows  string
	}{
		{"Ctrl-C", func(t *testing.T, _ *server, w *watched) { w.press(t, "\x03") }, 0, ""},
		{"SIGTERM", func(t *testing.T, _ *server, w *watched) { send(t, w.server, syscall.SIGTERM) }, 0, ""},
		{"the server's end", func(t *testing.T, s *server, _ *watched) { send(t, s, syscall.SIGINT) }, 1, "gatehouse: the server has ended"},
		{"the server's death", func(t *testing.T, s *server, _ *watched) { s.kill() }, 1, "gatehouse: the server has ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir, env := houseOfApps(t)
			w := watchTerminal(t, dir, env, "top")
			w.shows(t, `MEMORY`)
			tt.end(t, s, w)
			if status, err := w.end(); err != nil || status != tt.status {
				t.Errorf("exit status %d, %v; want %d", status, err, tt.status)
			}
			w.shows(t, `(?s)\x1b\[\?1049l.*`+tt.shows)
		})
	}
}

func send(t *testing.T, s *server, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// TestProgress deploys on a terminal.
func TestProgress(t *testing.T) {
	_, dir, env := houseOfApps(t)
	w := watchTerminal(t, dir, env, "deploy", "webapps/site", "--as", "/more")
	w.shows(t, "\r\x1b\\[Kuploading █{20} 100 %")
	w.shows(t, `deployed +/more   static files   running   in `)
	if status, err := w.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
}
