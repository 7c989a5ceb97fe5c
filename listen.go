package gatehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// socketMode is the mode of a Unix-domain socket that Listen makes: a web
// server in front usually shares the group, nobody else has business there.
const socketMode = 0o660

// Listen announces on addr, which is "host:port", ":port" (every address of
// this machine) or "unix:/path/to/socket".
//
// backlog is how many clients may wait to be accepted; zero or less is the
// system's maximum. When the queue is full, further clients are refused or
// time out, as the system does it. Unix systems only; elsewhere it is ignored.
//
// A Unix-domain socket gets mode 0660 and is removed when the listener is
// closed. A socket already at that path is replaced only if connecting to it
// is refused, which says that its server is gone; any other file is left alone.
// TCP ports are taken with SO_REUSEADDR where that is safe, never SO_REUSEPORT.
func Listen(addr string, backlog int) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, "unix:")
	if !isUnix {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("gatehouse: %w", err)
		}
		return withBacklog(l, backlog)
	}
	if path == "" {
		return nil, errors.New("gatehouse: listen unix: no path")
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("gatehouse: listen unix %s: %w", path, err)
	}
	l, err := listenUnix(path)
	if err != nil {
		return nil, fmt.Errorf("gatehouse: %w", err)
	}
	return withBacklog(l, backlog)
}

// listenUnix makes a socket at path that was never open to more users than
// socketMode allows.
func listenUnix(path string) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return restrictSocket(raw, socketMode)
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	// The umask may have taken the group's right away as well.
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes the socket at path if no server listens on it any more.
func removeStale(path string) error {
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

// withBacklog gives l's queue the length that was asked for. It closes l if
// that fails.
func withBacklog(l net.Listener, backlog int) (net.Listener, error) {
	if backlog <= 0 {
		return l, nil // the net package already takes the system's maximum
	}
	if err := setBacklog(l, backlog); err != nil {
		l.Close()
		return nil, fmt.Errorf("gatehouse: set backlog of %s: %w", l.Addr(), err)
	}
	return l, nil
}
