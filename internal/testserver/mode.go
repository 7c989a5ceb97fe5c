package testserver

import (
	"slices"
	"testing"
)

// Mode says which server answers, and over which transport.
type Mode uint8

// The modes. A test that names none runs in H1, H1Unix, H1S and NetHTTP.
const (
	// H1 is the engine over TCP.
	H1 Mode = iota
	// H1Unix is the engine over a Unix-domain socket.
	H1Unix
	// H1S is the engine over TLS on TCP.
	H1S
	// NetHTTP is net/http's server over TCP: the oracle.
	NetHTTP
	// NetHTTPS is net/http's server over TLS, with HTTP/2 off: the oracle of
	// what belongs to TLS.
	NetHTTPS
)

// String is the name of m in a subtest's name.
func (m Mode) String() string {
	names := [...]string{H1: "h1", H1Unix: "h1unix", H1S: "h1s", NetHTTP: "nethttp", NetHTTPS: "nethttps"}
	if int(m) >= len(names) {
		return "unknown"
	}
	return names[m]
}

// Oracle reports whether m is net/http.
func (m Mode) Oracle() bool { return m == NetHTTP || m == NetHTTPS }

// TLS reports whether the connections of m are encrypted.
func (m Mode) TLS() bool { return m == H1S || m == NetHTTPS }

// All are the modes a test runs in when it names none.
func All() []Mode { return []Mode{H1, H1Unix, H1S, NetHTTP} }

// Plain are the modes without TLS: for what a test does below HTTP, to the
// socket (half-close, reset, sendfile).
func Plain() []Mode { return []Mode{H1, H1Unix, NetHTTP} }

// TCP are the modes in which a client has an IP address.
func TCP() []Mode { return []Mode{H1, H1S, NetHTTP} }

// Encrypted are the modes with TLS.
func Encrypted() []Mode { return []Mode{H1S, NetHTTPS} }

// Engine returns those of modes in which the engine answers.
func Engine(modes []Mode) []Mode {
	return slices.DeleteFunc(slices.Clone(modes), Mode.Oracle)
}

// Run runs f as a subtest in each of modes, in All if there are none.
func Run(t *testing.T, f func(t *testing.T, m Mode), modes ...Mode) {
	t.Helper()
	if len(modes) == 0 {
		modes = All()
	}
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}
