// Package control lets whoever owns a running server look into it and change what
// it runs: a versioned API of JSON over HTTP on a Unix-domain socket, both sides of
// it.
//
// The socket has mode 0600, and each connection's user is asked for: root and the
// server's own user may connect, nobody else. Handler is a plain http.Handler; who
// serves it guards its listener with Guard. The server opens no path that a client
// names: archives come as bytes.
//
// The package is not for browsers and has no notion of a log-in.
package control
