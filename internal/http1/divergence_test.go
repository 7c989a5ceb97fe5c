package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// divergence is a place where the parser differs from net/http on purpose.
type divergence struct {
	name string
	why  string
	// raw shows it: net/http accepts and we refuse, if status is not 0; else
	// both sides see something different, or only we accept.
	raw    string
	status int
}

// divergences is the whole of the differences: the differential test and the
// fuzzer hold everything else that we accept to what net/http makes of it.
// Rows with a status are where we are stricter, the others are applied in
// compare by their names.
var divergences = []divergence{
	{emptyLine, "RFC 9112 section 2.2 asks a server to skip it", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
	{minorVersion, "RFC 9110 section 2.5: we answer as 1.1, and say so", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", 0},
	{pragma, "net/http invents a Cache-Control for it; a server passes on what was sent", "GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\n\r\n", 0},
	{announcement, "names that net/http refuses, or takes though they can never come, are dropped", chunkedWith("Trailer: Content-Length") + "0\r\n\r\n", 0},
	{forbiddenTrailer, "RFC 9110 section 6.5.1: not to be merged into what frames or routes", chunkedWith("Trailer: X") + "0\r\nX: y\r\nHost: b\r\n\r\n", 0},

	{"bare LF in a head", "RFC 9112 section 2.2 allows it, smuggling needs it", "GET / HTTP/1.1\nHost: a\n\n", 400},
	{"folded field", "RFC 9112 section 5.2 lets a server refuse it", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
	{"no Host", "net/http refuses it in its server, not in its parser", "GET / HTTP/1.1\r\n\r\n", 400},
	{"invalid Host", "likewise", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	{"Transfer-Encoding with Content-Length", "RFC 9112 section 6.1: ought to be handled as an error", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"Transfer-Encoding in HTTP/1.0", "net/http ignores the field; a peer may not", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"repeated Content-Length", "two senders wrote it", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
	{"other major version", "net/http's server refuses it later", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
	{"fragment in the target", "RFC 9112 section 3.2 has none", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"asterisk for another method", "RFC 9112 section 3.2.4", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"URI of another scheme", "we are no proxy", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"userinfo in the target", "RFC 9110 section 4.2.4: likely an attempt to deceive", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"path for CONNECT", "net/rpc only", "CONNECT /rpc HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"long method", "RFC 9112 section 3", strings.Repeat("M", 65) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
	{"unknown expectation", "net/http's server refuses it later", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: luck\r\n\r\n", 417},
	{"white space after a chunk size", "RFC 9112 section 7.1 has none there", chunkedWith("X: y") + "0 \r\n\r\n", 400},
}

// The differences that compare must know.
const (
	emptyLine        = "empty line before the request line"
	minorVersion     = "higher minor version"
	pragma           = "Pragma without Cache-Control"
	announcement     = "trailer that may not be announced"
	forbiddenTrailer = "trailer that may not be sent"
)

func chunkedWith(field string) string {
	return "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + field + "\r\n\r\n"
}

// TestDivergences proves each row, so that the table lists no difference that
// is gone.
func TestDivergences(t *testing.T) {
	for _, tt := range divergences {
		t.Run(tt.name, func(t *testing.T) {
			m := read([]byte(tt.raw), len(tt.raw), nil)
			if got := status(m.err); got != tt.status {
				t.Fatalf("status %d (%v), want %d", got, m.err, tt.status)
			}
			theirs, err := readNet([]byte(tt.raw), false)
			if tt.status != 0 {
				if err != nil {
					t.Errorf("net/http refuses it too: %v", err)
				}
				return
			}
			if err == nil && compare(m, theirs, nil) == nil {
				t.Error("net/http sees the same")
			}
			theirs, err = readNet([]byte(tt.raw), true)
			if err != nil {
				t.Fatalf("net/http refuses more than the difference: %v", err)
			}
			if err := compare(m, theirs, []string{tt.name}); err != nil {
				t.Errorf("more differs than the table says: %v", err)
			}
		})
	}
}

// netMessage is what net/http makes of the bytes of one request.
type netMessage struct {
	*http.Request
	body []byte
	rest []byte
}

// readNet parses a request by net/http. With tolerant, what the table says net/http
// would refuse is taken out of the bytes first.
func readNet(raw []byte, tolerant bool) (netMessage, error) {
	if tolerant {
		for bytes.HasPrefix(raw, []byte("\r\n")) {
			raw = raw[2:]
		}
		if head, rest, ok := bytes.Cut(raw, []byte("\r\n\r\n")); ok {
			raw = slices.Concat(withoutTrailer(head), []byte("\r\n\r\n"), rest)
		}
	}
	b := bufio.NewReaderSize(bytes.NewReader(raw), len(raw)+16)
	r, err := http.ReadRequest(b)
	if err != nil {
		return netMessage{}, err
	}
	m := netMessage{Request: r}
	if m.body, err = io.ReadAll(r.Body); err != nil {
		return netMessage{}, err
	}
	m.rest, err = io.ReadAll(b)
	return m, err
}

// withoutTrailer drops the Trailer fields of a head: net/http refuses some
// announcements outright.
func withoutTrailer(head []byte) []byte {
	lines := bytes.Split(head, []byte("\r\n"))
	lines = slices.DeleteFunc(lines, func(line []byte) bool {
		name, _, _ := bytes.Cut(line, []byte{':'})
		return strings.EqualFold(string(name), "Trailer")
	})
	return bytes.Join(lines, []byte("\r\n"))
}

// compare says where two readings of the same bytes differ, except for the
// named differences.
func compare(ours message, theirs netMessage, except []string) error {
	h := ours.head
	excepted := func(name string) bool { return slices.Contains(except, name) }
	differ := func(what string, ours, theirs any) error {
		if reflect.DeepEqual(ours, theirs) {
			return nil
		}
		return fmt.Errorf("%s: ours %#v, theirs %#v", what, ours, theirs)
	}
	minor := theirs.ProtoMinor
	if excepted(minorVersion) {
		minor = min(minor, 1)
	}
	header := maps.Clone(theirs.Header)
	delete(header, "Host") // the server takes it out, ReadRequest does not
	ourHeader := maps.Clone(h.Header)
	if excepted(pragma) && len(h.Header["Cache-Control"]) == 0 {
		delete(header, "Cache-Control")
	}
	trailer := map[string][]string(maps.Clone(theirs.Trailer))
	if excepted(forbiddenTrailer) {
		maps.DeleteFunc(trailer, func(name string, _ []string) bool { return !http1.TrailerAllowed(name) })
	}
	// net/http lists an announced trailer that did not come, with no value.
	maps.DeleteFunc(trailer, func(_ string, values []string) bool { return values == nil })
	if len(trailer) == 0 {
		trailer = nil
	}
	if excepted(announcement) {
		delete(ourHeader, "Trailer") // as withoutTrailer did to theirs
	} else {
		for _, name := range h.Trailer {
			if _, ok := theirs.Trailer[name]; !ok {
				return fmt.Errorf("announced trailer %q is not theirs", name)
			}
		}
	}
	for _, err := range []error{
		differ("method", h.Method, theirs.Method),
		differ("target", h.Target, theirs.RequestURI),
		differ("minor", h.Minor, minor),
		differ("host", h.Host, theirs.Host),
		differ("header", http.Header(ourHeader), header),
		differ("length", h.ContentLength, theirs.ContentLength),
		differ("chunked", h.Chunked, len(theirs.TransferEncoding) > 0),
		differ("close", h.Close, theirs.Close),
		differ("body", string(ours.body), string(theirs.body)),
		differ("rest", string(ours.rest), string(theirs.rest)),
		differ("trailer", ours.trailer, trailer),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
