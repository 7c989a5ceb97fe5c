package accesslog

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Format is the form of a line.
type Format uint8

// The forms a log can have.
const (
	// Combined is the combined log format of Apache and nginx, byte for byte:
	// every analyser reads it. The two identity columns are always "-", because
	// Gatehouse itself authenticates nobody.
	Combined Format = iota
	// JSON is one object a line. It also holds what the combined format has no
	// column for: host, duration in milliseconds and the request identifier.
	JSON
)

// Entry is what is known of one answered request.
type Entry struct {
	Time      time.Time
	Remote    string // address, with or without a port; "" if there is none
	Method    string
	Target    string // as it stood in the request line; the whole line if it was refused, with Method and Proto ""
	Proto     string
	Host      string
	Status    int
	Bytes     int64 // of the body, as sent
	Referer   string
	UserAgent string
	RequestID string        // "" if the request never needed one
	Duration  time.Duration // 0 if not measured
}

// append adds e as one line, line feed included, to dst.
func (f Format) append(dst []byte, e *Entry, clock *clock) []byte {
	if f == JSON {
		return appendJSON(dst, e, clock)
	}
	return appendCombined(dst, e, clock)
}

func appendCombined(dst []byte, e *Entry, clock *clock) []byte {
	dst = appendColumn(dst, withoutPort(e.Remote))
	dst = append(dst, " - - ["...)
	dst = append(dst, clock.at(e.Time).combined...)
	dst = append(dst, `] "`...)
	if e.Method == "" {
		dst = appendColumn(dst, e.Target)
	} else {
		dst = appendEscaped(dst, e.Method)
		dst = append(dst, ' ')
		dst = appendEscaped(dst, e.Target)
		dst = append(dst, ' ')
		dst = appendEscaped(dst, e.Proto)
	}
	dst = append(dst, `" `...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, e.Bytes, 10)
	dst = append(dst, ` "`...)
	dst = appendColumn(dst, e.Referer)
	dst = append(dst, `" "`...)
	dst = appendColumn(dst, e.UserAgent)
	return append(dst, "\"\n"...)
}

// appendColumn is appendEscaped with the format's "-" for nothing.
func appendColumn(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '-')
	}
	return appendEscaped(dst, s)
}

// appendEscaped adds s with every byte that is not plain printable ASCII as
// \xHH, the notation of nginx.
func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	start := 0
	for i := range len(s) {
		if c := s[i]; plain[c] {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, '\\', 'x', digits[s[i]>>4], digits[s[i]&15])
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// plain marks the bytes that may stand in a line as they are.
var plain = func() (t [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func appendJSON(dst []byte, e *Entry, clock *clock) []byte {
	dst = append(dst, `{"time":"`...)
	dst = clock.appendRFC3339(dst, e.Time)
	dst = append(dst, '"')
	dst = appendMember(dst, "remote", withoutPort(e.Remote))
	dst = appendMember(dst, "method", e.Method)
	dst = appendMember(dst, "host", e.Host)
	dst = appendMember(dst, "target", e.Target)
	dst = appendMember(dst, "proto", e.Proto)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, `,"bytes":`...)
	dst = strconv.AppendInt(dst, e.Bytes, 10)
	dst = append(dst, `,"duration_ms":`...)
	dst = appendMilliseconds(dst, e.Duration)
	if e.Referer != "" {
		dst = appendMember(dst, "referer", e.Referer)
	}
	if e.UserAgent != "" {
		dst = appendMember(dst, "user_agent", e.UserAgent)
	}
	if e.RequestID != "" {
		dst = appendMember(dst, "request_id", e.RequestID)
	}
	return append(dst, "}\n"...)
}

// appendMilliseconds adds d as a number with three decimals.
func appendMilliseconds(dst []byte, d time.Duration) []byte {
	us := d.Microseconds()
	dst = strconv.AppendInt(dst, us/1000, 10)
	us %= 1000
	return append(dst, '.', byte('0'+us/100), byte('0'+us/10%10), byte('0'+us%10))
}

// appendMember adds a further member of an object, as pure ASCII. Bytes that
// are not UTF-8 become U+FFFD.
func appendMember(dst []byte, name, value string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	start := 0
	for i := 0; i < len(value); {
		if plain[value[i]] {
			i++
			continue
		}
		dst = append(dst, value[start:i]...)
		r, size := utf8.DecodeRuneInString(value[i:])
		dst = appendRune(dst, r)
		i += size
		start = i
	}
	dst = append(dst, value[start:]...)
	return append(dst, '"')
}

// appendRune adds r as a JSON escape; outside the basic plane that takes a
// surrogate pair (RFC 8259, section 7).
func appendRune(dst []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		return appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}

// withoutPort cuts the port from host:port and the brackets from an IPv6
// address. The nameless peer of a Unix socket, "@" to Go, is "unix:" as in
// nginx's logs.
func withoutPort(addr string) string {
	if addr == "@" {
		return "unix:"
	}
	colon := strings.LastIndexByte(addr, ':')
	if colon > 0 && addr[colon-1] == ']' && addr[0] == '[' {
		return addr[1 : colon-1]
	}
	if colon < 0 || strings.IndexByte(addr, ':') != colon {
		return addr // no port, or a bare IPv6 address
	}
	return addr[:colon]
}
