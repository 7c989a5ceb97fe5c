// Package behaviour holds tests only: what the engine does, seen from a client
// and from a handler, beside what net/http does. Each test runs over the engine
// (TCP, a Unix-domain socket, TLS) and over a stock net/http server, which is
// the oracle. Where the two differ on purpose, the table divergences says so,
// line by line, with the reason.
//
// The tests use what the root package exports. What can be seen from inside
// alone, such as the states of connections, is tested beside the engine.
package behaviour
