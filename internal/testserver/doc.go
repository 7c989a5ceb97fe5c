// Package testserver is the help of tests that talk HTTP/1 to a running
// server: it starts one test body's handler in several modes (the engine over
// TCP, over a Unix socket, over TLS, and stock net/http as the oracle), speaks
// exact bytes to it, reads the answers strictly, and checks at the end that
// nothing was left behind.
//
// Everything listens on loopback with a port the system picked. Nothing in it
// sleeps: what must be waited for is a channel, a read, or a condition with a
// deadline.
package testserver
