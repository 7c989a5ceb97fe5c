package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestControlUser has a server that root has started and that has become somebody
// else: he and root reach it, and nobody else.
func TestControlUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else; package control tests who may connect
	}
	const nobody, daemon = 65534, 1
	dir := t.TempDir()
	page := filepath.Join(dir, "webapps", "ROOT", "index.html")
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte("welcome"), 0o644); err != nil {
		t.Fatal(err)
	}
	for p := page; p != dir; p = filepath.Dir(p) {
		if err := os.Chown(p, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(dir, []string{"PATH=" + os.Getenv("PATH")}, []string{"run", ".", "0"})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	if text, err := s.await(regexp.MustCompile(`ready`), s.errOut); err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	path := fmt.Sprintf("/run/gatehouse/%d.sock", s.cmd.Process.Pid)
	defer os.Remove(path) // the server may not, and the next one would
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); info.Mode().Perm() != 0o600 || stat.Uid != nobody {
		t.Errorf("%s has mode %v and belongs to user %d, want 0600 and %d", path, info.Mode(), stat.Uid, nobody)
	}
	for _, tt := range []struct {
		uid int
		has string
	}{
		{0, `"user":"nobody"`},
		{nobody, `"user":"nobody"`},
		{daemon, syscall.EACCES.Error()},
	} {
		if got := askAs(tt.uid, path); !strings.Contains(got, tt.has) {
			t.Errorf("user %d is answered %q, want %s", tt.uid, got, tt.has)
		}
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if got := askAs(daemon, path); got != "" && !strings.Contains(got, syscall.EPIPE.Error()) && !strings.Contains(got, syscall.ECONNRESET.Error()) {
		t.Errorf("user %d, whom the mode does not keep out, is answered %q", daemon, got)
	}
	if text, err := s.await(regexp.MustCompile(`refused a user who has connected to the control socket uid=1`), s.errOut); err != nil {
		t.Errorf("the log does not tell of him: %v\n%s", err, text)
	}
}

// askAs asks for the status as somebody else, and returns the answer or why there
// is none.
func askAs(uid int, path string) string {
	answer := make(chan string)
	go func() {
		// The thread alone becomes somebody else, and ends with the goroutine.
		runtime.LockOSThread()
		text, err := func() (string, error) {
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
				return "", errno
			}
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				return "", err
			}
			defer syscall.Close(fd)
			if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
				return "", err
			}
			const ask = "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			if err := syscall.Sendto(fd, []byte(ask), syscall.MSG_NOSIGNAL, nil); err != nil {
				return "", err
			}
			var text strings.Builder
			for b := make([]byte, 4096); ; {
				n, err := syscall.Read(fd, b)
				if n <= 0 || err != nil {
					return text.String(), err
				}
				text.Write(b[:n])
			}
		}()
		if err != nil {
			text += err.Error()
		}
		answer <- text
	}()
	return <-answer
}
