// Package gatehouse is an HTTP/1.1 server library, written from the socket up.
// A [Server] serves any http.Handler, with real *http.Request values and a
// ResponseWriter that can do what net/http's can; net/http is the oracle of its
// tests.
//
// It is strict about how messages are delimited, bounds what a client may send
// and how long it may take, and spends little beside the system calls. [Listen]
// opens TCP and Unix-domain sockets.
//
// It is no client, no router and no proxy, and it speaks no HTTP/2: handlers do
// the rest, from the standard library or from this module, and do not need this
// package for it.
package gatehouse
