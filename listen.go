package gatehouse

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
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
	l, err := unixsocket.Listen(path, socketMode)
	if err != nil {
		return nil, fmt.Errorf("gatehouse: %w", err)
	}
	return withBacklog(l, backlog)
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
