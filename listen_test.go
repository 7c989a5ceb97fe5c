package gatehouse_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
)

func TestListenTCP(t *testing.T) {
	l, err := gatehouse.Listen("127.0.0.1:0", 7)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	if _, err := gatehouse.Listen(taken, 0); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken) {
		t.Errorf("second listener on %s: %v, want an error that names it", taken, err)
	}
	c, err := net.Dial("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestListenFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, addr, says string }{
		{"no port", "localhost", "localhost"},
		{"no such port", "127.0.0.1:99999", "99999"},
		{"not an address of ours", "192.0.2.1:0", "192.0.2.1"},
		{"no path", "unix:", "no path"},
		{"file in the way", "unix:" + file, "no socket"},
		{"no folder", "unix:" + dir + "/none/s", "none/s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := gatehouse.Listen(tt.addr, 0)
			if err == nil {
				l.Close()
				t.Fatal("it listens")
			}
			if !strings.HasPrefix(err.Error(), "gatehouse: ") || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
		})
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "precious" {
		t.Errorf("the file in the way is now %q, %v", got, err)
	}
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := gatehouse.Listen("unix:"+path, 3)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket: %v, %v, want mode 0660", info.Mode(), err)
	}
	if _, err := gatehouse.Listen("unix:"+path, 0); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second listener: %v, want address in use", err)
	}
	// A server that died leaves its socket behind.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	l, err = gatehouse.Listen("unix:"+path, 0)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close the socket is still there: %v", err)
	}
}
