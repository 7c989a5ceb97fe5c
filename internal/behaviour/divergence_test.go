package behaviour_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// divergences is the one place that says where the engine on purpose does not
// do as net/http does. The tests state what the engine does; a line here says
// what the oracle is seen to do in that row instead, and why the engine
// differs. A row that has no line must hold for both. "absent" means that
// net/http has nothing of the kind and the test runs on the engine alone.
//
//	row | what net/http does | why the engine does not
const divergences = `
shutdown with an unused connection | context deadline exceeded | net/http waits five seconds for a first request; a second is enough for one that is on its way
HEAD changed to GET by the handler | 200 no body, close | the client knows what it has sent: a body would be taken for the next answer
GET changed to HEAD by the handler | absent | net/http announces a body and sends none; the client waits
the client leaves at once | at once | a watch over each client would cost every fast request; it begins with the next round of the sweeper
return while the body is read | absent | net/http answers when the read has ended, which is up to the client
hijack while the body is read | absent | net/http leaves it open who gets the bytes that come
full duplex, unread body | 200 content-length "hello", close | net/http loses the next request of such a connection
WriteFinished | absent | net/http takes no finished responses
write after return | absent | net/http leaves it open what a write after the handler's return does
unregistered | HTTP/1.1 999 status code 999 | a phrase that says nothing is left out (RFC 9112 section 4)
length with spaces | 200 chunked "hello", open | a length that is none is as good as unset: a short body gets its own
length that is none | 200 chunked "hello", open | as above
negative length | 200 chunked "hello", open | as above
slow head | 400 | the request was slow, not wrong (RFC 9110 section 15.5.9)
body stall time-out | absent | net/http's ReadTimeout bounds the whole body and cuts healthy slow ones
write stall time-out | absent | net/http's WriteTimeout bounds the whole response and cuts healthy slow ones
target too long | 200 | net/http has one limit of 1 MB for a whole head; the limits are those of other servers, each with its status
target far too long | 200 | as above
field too long | 200 | as above
field far too long | 200 | as above
field name too long | 200 | as above
too many fields | 200 | as above
head too large | 200 | as above
Server field |  | the engine names itself, without a version
status line for 1.0 | HTTP/1.0 200 OK | a server names its own highest version (RFC 9112 section 2.3)
early hints for 1.0 | sent | no 1xx may be sent to a 1.0 client (RFC 9110 section 15.2)
asterisk with GET | 204 no body, open, handler reached | the asterisk is for OPTIONS only (RFC 9112 section 3.2.4)
CONNECT | 204 no body, open, handler reached | a CONNECT reaches no application: whoever runs a tunnel writes a proxy
HTTP/2 preface | 204 no body, close, handler reached | HTTP/2 over plain TCP is not served; a handler could do nothing with the preface
length and chunked | 204 no body, open, handler reached | two lengths are how requests are smuggled (RFC 9112 section 6.1)
folded field | 204 no body, open, handler reached | line folding is obsolete and read differently by others (RFC 9112 section 5.2)
bare LF | 204 no body, open, handler reached | a bare LF is a line end to some and not to others (RFC 9112 section 2.2)
malformed trailer | "hello" ended well | a space before the colon is refused in trailers as in heads (RFC 9112 section 5.1)
one empty line first | 400 until close "400 Bad Request", close | empty lines before a request line are skipped (RFC 9112 section 2.2)
one byte above | 413 content-length "limit 5\n", close | the hook behind http.MaxBytesReader is unexported; the unread rest is read away as any other
chunked above | 413 content-length "limit 5\n", close | the hook behind http.MaxBytesReader is unexported; the unread rest is read away as any other
`

// absent marks what net/http does not have at all.
const absent = "absent"

// divergence finds the oracle's line of a row.
func divergence(row string) (oracle string, ok bool) {
	for line := range strings.Lines(divergences) {
		cells := strings.Split(line, " | ")
		if len(cells) == 3 && cells[0] == row {
			return strings.TrimSpace(cells[1]), true
		}
	}
	return "", false
}

// expected is what a row must show in the mode: the engine's behaviour, or the
// oracle's where the table says that it differs.
func expected(m testserver.Mode, row, engine string) string {
	if oracle, ok := divergence(row); ok && m.Oracle() {
		return oracle
	}
	return engine
}

// modesOf leaves the oracle out of modes for a row that net/http lacks.
func modesOf(row string, modes []testserver.Mode) []testserver.Mode {
	if oracle, ok := divergence(row); ok && oracle == absent {
		return testserver.Engine(modes)
	}
	return modes
}

func TestDivergencesAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(divergences) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 3 {
			t.Errorf("line has %d cells, want 3: %s", len(cells), line)
			continue
		}
		row := strings.TrimSpace(cells[0])
		if seen[row] {
			t.Errorf("row twice: %s", row)
		}
		seen[row] = true
	}
}
