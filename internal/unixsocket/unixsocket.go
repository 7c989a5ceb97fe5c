// Package unixsocket makes Unix-domain sockets in the file system.
package unixsocket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// Listen announces on a socket at path that was never open to more users than
// mode allows. A socket that is there is replaced only if connecting to it is
// refused, which says that its server is gone; any other file is left alone. The
// socket is removed when the listener is closed.
func Listen(path string, mode fs.FileMode) (*net.UnixListener, error) {
	if err := RemoveStale(path); err != nil {
		return nil, fmt.Errorf("listen unix %s: %w", path, err)
	}
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return restrict(raw, uint32(mode.Perm()))
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	// The umask may have taken the group's right away as well.
	if err := os.Chmod(path, mode.Perm()); err != nil {
		l.Close()
		return nil, err
	}
	return l.(*net.UnixListener), nil
}

// RemoveStale removes the socket at path if no server listens on it any more. It
// is no error if nothing is there; the error is syscall.EADDRINUSE if a server
// answers.
func RemoveStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("a file that is no socket is in the way")
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return syscall.EADDRINUSE
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
