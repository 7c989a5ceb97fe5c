package control

import (
	"log/slog"
	"net"
)

// GuardFor is Guard with another idea of who may connect.
func GuardFor(l *net.UnixListener, log *slog.Logger, allowed func(uid int) bool) net.Listener {
	return &guarded{l, log, allowed}
}

// Allowed reports whether a user may connect.
func Allowed(uid int) bool { return allowed(uid) }
