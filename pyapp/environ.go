package pyapp

import (
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/marshal"
	"github.com/seed-07905ac1/gatehouse/internal/metavar"
)

// A packet is a marshal list: requests, the first one last so that the worker
// can take them off its end, and behind them the epoch. A request is the tuple
// (number, environ, body). What a call holds is a packet of its own. Number and
// epoch stand at fixed places, so that they can be written when a lane is chosen.
const (
	requestAt  = 5             // of the request, behind the list's head
	numberAt   = requestAt + 6 // of its number
	epochEnd   = 5             // length of the epoch, behind the requests
	epochValue = 4             // of that, the number itself
)

// setNumber writes the request's number on its lane into the packet of one call.
func setNumber(packet []byte, n int32) { binary.LittleEndian.PutUint32(packet[numberAt:], uint32(n)) }

// setEpoch writes the epoch into a packet.
func setEpoch(packet []byte, n int32) {
	binary.LittleEndian.PutUint32(packet[len(packet)-epochValue:], uint32(n))
}

// endPacket appends what stands behind the last request of a packet.
func endPacket(b []byte) []byte { return marshal.AppendInt(b, 0) }

// appendBatch appends one packet that holds the requests of all calls.
func appendBatch(b []byte, calls []*call) []byte {
	b = marshal.AppendList(b, len(calls)+1)
	for _, c := range slices.Backward(calls) {
		b = append(b, c.packet[requestAt:len(c.packet)-epochEnd]...)
	}
	return endPacket(b)
}

// stopNumber stands where a request's number stands, and tells a lane to serve
// no more.
const stopNumber = 0

func stopPacket() []byte {
	b := marshal.AppendList(nil, 2)
	b = marshal.AppendTuple(b, 3)
	b = marshal.AppendInt(b, stopNumber)
	b = marshal.AppendNone(b)
	return endPacket(marshal.AppendNone(b))
}

// environ writes the requests of one pool.
type environ struct {
	mount  string
	scheme func(*http.Request) string
}

// appendHead appends the packet up to the body: number and environ. length is
// that of the body, -1 if it is not known. It returns false for a path outside
// of the mount.
//
// The keys that are the same for every request (wsgi.version and so on) are
// added by the worker. Package metavar decides which request fields get in.
func (e *environ) appendHead(b []byte, r *http.Request, id string, length int64) ([]byte, bool) {
	path, ok := strings.CutPrefix(r.URL.Path, e.mount)
	if !ok || (path != "" && path[0] != '/' && e.mount != "") {
		return b, false
	}
	b = marshal.AppendList(b, 2)
	b = marshal.AppendTuple(b, 3)
	b = marshal.AppendInt(b, 0)
	b = marshal.BeginDict(b)
	b = appendItem(b, "REQUEST_METHOD", r.Method)
	b = appendItem(b, "SCRIPT_NAME", e.mount)
	b = appendItem(b, "PATH_INFO", path)
	b = appendItem(b, "QUERY_STRING", r.URL.RawQuery)
	b = appendItem(b, "REQUEST_URI", r.RequestURI)
	b = appendItem(b, "SERVER_PROTOCOL", r.Proto)
	b = appendItem(b, "SERVER_SOFTWARE", "Gatehouse")
	scheme := e.scheme(r)
	b = appendItem(b, "wsgi.url_scheme", scheme)
	host, port := metavar.Server(r, scheme)
	b = appendItem(b, "SERVER_NAME", host)
	b = appendItem(b, "SERVER_PORT", port)
	if addr, port, ok := metavar.SplitHostPort(r.RemoteAddr); ok {
		b = appendItem(b, "REMOTE_ADDR", addr)
		b = appendItem(b, "REMOTE_PORT", port)
	} else {
		b = appendItem(b, "REMOTE_ADDR", "") // a Unix socket
	}
	if r.Host != "" {
		b = appendItem(b, "HTTP_HOST", r.Host)
	}
	if length > 0 || length == 0 && r.Header["Content-Length"] != nil {
		b = marshal.AppendText(b, "CONTENT_LENGTH")
		var at int
		b, at = marshal.BeginText(b)
		b = marshal.EndText(strconv.AppendInt(b, length, 10), at)
	}
	for name, values := range r.Header {
		b = appendField(b, name, values)
	}
	b = appendItem(b, "HTTP_X_REQUEST_ID", id)
	return marshal.EndDict(b), true
}

func appendItem(b []byte, key, value string) []byte {
	return marshal.AppendLatin1(marshal.AppendText(b, key), value)
}

// appendField appends a request field under its CGI name, if it has one.
func appendField(b []byte, name string, values []string) []byte {
	switch name {
	case "X-Request-Id": // what the response carries has been appended, whoever made it
		return b
	case "Content-Type":
		return appendItem(b, "CONTENT_TYPE", values[0])
	}
	start := len(b)
	b, at := marshal.BeginText(b)
	b, ok := metavar.AppendName(b, name)
	if !ok {
		return b[:start]
	}
	b = marshal.EndText(b, at)
	if len(values) == 1 {
		return marshal.AppendLatin1(b, values[0])
	}
	separator := metavar.Separator(name)
	b, at = marshal.BeginText(b)
	for i, v := range values {
		if i > 0 {
			b = append(b, separator...)
		}
		b = marshal.AppendLatin1Part(b, v)
	}
	return marshal.EndText(b, at)
}
