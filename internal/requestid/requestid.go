// Package requestid gives a request the identifier under which its answer, its
// log records and its error page can be found together.
//
// The identifier lives in one place, the response field X-Request-Id: whoever
// needs it first makes it, everybody later reads it. Nothing here reads the
// request: whether the X-Request-Id of a peer may be believed is decided by the
// middleware that knows the trusted proxies, which then puts it into the
// response.
package requestid

import (
	"math/rand/v2"
	"net/http"
)

// Field is the response field that carries the identifier, in canonical form.
const Field = "X-Request-Id"

// Of returns the identifier of the response behind w: 16 lower-case hexadecimal
// digits, or whatever an outer middleware has set. It makes and sets one if
// there is none yet, which has an effect for the client only before the
// response head is written.
func Of(w http.ResponseWriter) string {
	h := w.Header()
	if v := h[Field]; len(v) > 0 && v[0] != "" {
		return v[0]
	}
	id := New()
	h[Field] = []string{id}
	return id
}

// New returns a fresh identifier: 64 random bits as 16 hexadecimal digits.
// It identifies, it does not authenticate.
func New() string {
	const digits = "0123456789abcdef"
	var b [16]byte
	v := rand.Uint64()
	for i := range b {
		b[i] = digits[v>>60]
		v <<= 4
	}
	return string(b[:])
}
