package control

import (
	"log/slog"
	"net"
	"os"
)

// Mode is that of the socket's file.
const Mode = 0o600

// Guard returns l without the connections of users who have no business there:
// those that are neither root nor whoever the server runs as. They are closed
// before a byte of theirs is read, and told of in log. The socket's mode keeps such
// users out as well; but it is that of a file, which people who mean well change.
func Guard(l *net.UnixListener, log *slog.Logger) net.Listener { return &guarded{l, log, allowed} }

// allowed reports whether a user may connect.
func allowed(uid int) bool { return uid == 0 || uid == os.Geteuid() }

type guarded struct {
	*net.UnixListener
	log     *slog.Logger
	allowed func(uid int) bool
}

// Accept implements net.Listener.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peer(c)
		if err == nil && g.allowed(uid) {
			return c, nil
		}
		if err != nil {
			g.log.Warn("refused whoever has connected to the control socket", "error", err)
		} else {
			g.log.Warn("refused a user who has connected to the control socket", "uid", uid)
		}
		_ = c.Close() // nothing was read, and nothing is owed
	}
}
