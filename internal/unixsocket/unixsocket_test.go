package unixsocket_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
)

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, mode := range []fs.FileMode{0o600, 0o660} {
		l, err := unixsocket.Listen(path, mode)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|mode {
			t.Errorf("mode %v, %v; want %v", info.Mode(), err, mode)
		}
		if _, err := unixsocket.Listen(path, mode); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second server: %v, want EADDRINUSE", err)
		}
		// A server that was killed leaves its socket.
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := unixsocket.RemoveStale(path); err != nil {
		t.Errorf("remove what a server has left: %v", err)
	}
	if err := unixsocket.RemoveStale(path); err != nil {
		t.Errorf("remove what is not there: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unixsocket.Listen(path, 0o600); err == nil {
		t.Error("a file that is no socket was replaced")
	}
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("something listens")
	}
}
