// Package gatehouse is an HTTP/1.1 server library, written from the socket up,
// that serves any http.Handler. See Server.
package gatehouse
