package http1_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

func TestScanLength(t *testing.T) {
	tests := []struct {
		name string
		buf  string
		want int // 0: more is needed
	}{
		{"nothing", "", 0},
		{"empty line", "\r\n", 0},
		{"part of the request line", "GET / HT", 0},
		{"no field", "GET / HTTP/1.0\r\n\r\n", 18},
		{"one field", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
		{"end without its LF", "GET / HTTP/1.1\r\nHost: a\r\n\r", 0},
		{"two empty lines first", "\r\n\r\nGET / HTTP/1.0\r\n\r\n", 22},
		{"pipelined", "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", 18},
		{"body", "PUT / HTTP/1.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n", 37},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var whole, dripping http1.HeadScanner
			n, err := whole.Scan([]byte(tt.buf), nil)
			if n != tt.want || err != nil {
				t.Errorf("Scan = %d, %v, want %d", n, err, tt.want)
			}
			n = 0
			for i := 0; i <= len(tt.buf) && n == 0; i++ {
				if n, err = dripping.Scan([]byte(tt.buf[:i]), nil); err != nil {
					t.Fatalf("after %d bytes: %v", i, err)
				}
			}
			if n != tt.want {
				t.Errorf("byte by byte: %d, want %d", n, tt.want)
			}
		})
	}
}

func TestScanReset(t *testing.T) {
	head := []byte("GET / HTTP/1.0\r\n\r\n")
	var s http1.HeadScanner
	for range 3 {
		if n, err := s.Scan(head, nil); n != len(head) || err != nil {
			t.Fatalf("Scan = %d, %v", n, err)
		}
		s.Reset()
	}
}

func TestBegun(t *testing.T) {
	var s http1.HeadScanner
	var buf []byte
	for _, step := range []struct {
		more string
		want bool
	}{{"", false}, {"\r", false}, {"\n", false}, {"G", true}, {"ET", true}} {
		buf = append(buf, step.more...)
		if _, err := s.Scan(buf, nil); err != nil {
			t.Fatal(err)
		}
		if s.Begun() != step.want {
			t.Errorf("after %q: Begun = %t, want %t", buf, s.Begun(), step.want)
		}
	}
}

// TestLimits tries each limit at its value and one beyond, in one piece and
// byte by byte.
func TestLimits(t *testing.T) {
	lim := http1.Limits{RequestLine: 100, Field: 50, Fields: 4, Head: 300}
	fields := func(n int) string { return strings.Repeat("A: b\r\n", n) }
	filled := func(n int) string { // a head of n bytes
		head := "GET /" + strings.Repeat("a", 78) + " HTTP/1.0\r\n" +
			strings.Repeat("A: "+strings.Repeat("b", 47)+"\r\n", 3)
		return head + "C: " + strings.Repeat("d", n-len(head)-7) + "\r\n\r\n"
	}
	tests := []struct {
		name   string
		raw    string
		status int // 0: accepted
	}{
		{"request line at", "GET /" + strings.Repeat("a", 86) + " HTTP/1.0\r\n\r\n", 0},
		{"request line beyond", "GET /" + strings.Repeat("a", 87) + " HTTP/1.0\r\n\r\n", 414},
		{"field at", "GET / HTTP/1.0\r\nA: " + strings.Repeat("b", 47) + "\r\n\r\n", 0},
		{"field beyond", "GET / HTTP/1.0\r\nA: " + strings.Repeat("b", 48) + "\r\n\r\n", 431},
		{"field without colon beyond", "GET / HTTP/1.0\r\n" + strings.Repeat("b", 51) + "\r\n\r\n", 431},
		{"fields at", "GET / HTTP/1.0\r\n" + fields(4) + "\r\n", 0},
		{"fields beyond", "GET / HTTP/1.0\r\n" + fields(5) + "\r\n", 431},
		{"head at", filled(300), 0},
		{"head beyond", filled(301), 431},
		{"head at, with an empty line", "\r\n" + filled(298), 0},
		{"head beyond, with an empty line", "\r\n" + filled(299), 431},
		{"method at", strings.Repeat("M", 64) + " / HTTP/1.0\r\n\r\n", 0},
		{"method beyond", strings.Repeat("M", 65) + " / HTTP/1.0\r\n\r\n", 501},
		{"trailer field at", chunked + "0\r\nA: " + strings.Repeat("b", 47) + "\r\n\r\n", 0},
		{"trailer field beyond", chunked + "0\r\nA: " + strings.Repeat("b", 48) + "\r\n\r\n", 431},
		{"trailer fields at", chunked + "0\r\n" + fields(4) + "\r\n", 0},
		{"trailer fields beyond", chunked + "0\r\n" + fields(5) + "\r\n", 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{len(tt.raw), 1} {
				m := read([]byte(tt.raw), step, &lim)
				if got := status(m.err); got != tt.status {
					t.Errorf("in pieces of %d: status %d (%v), want %d", step, got, m.err, tt.status)
				}
			}
		})
	}
}

func TestTrailerSectionLimit(t *testing.T) {
	lim := http1.Limits{Head: 100, Field: 100}
	for size, want := range map[int]int{100: 0, 101: 431} {
		raw := "0\r\nA: " + strings.Repeat("b", size-len("A: \r\n\r\n")) + "\r\n\r\n"
		d := http1.ChunkedDecoder{Limits: lim}
		_, _, err := d.Decode(nil, []byte(raw))
		if got := status(err); got != want {
			t.Errorf("section of %d bytes: status %d (%v), want %d", size, got, err, want)
		}
	}
}

// TestDefaultLimits accepts the largest heads that the defaults allow; those
// one beyond are in the table of malformed requests.
func TestDefaultLimits(t *testing.T) {
	host := "GET / HTTP/1.1\r\nHost: a\r\n"
	full := host + strings.Repeat("X: "+strings.Repeat("v", 8180)+"\r\n", 3)
	for name, raw := range map[string]string{
		"request line": "GET /" + strings.Repeat("a", 8178) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"field":        host + "X: " + strings.Repeat("v", 8189) + "\r\n\r\n",
		"fields":       host + strings.Repeat("X: b\r\n", 99) + "\r\n",
		"head":         full + "X: " + strings.Repeat("v", http1.DefaultHead-len(full)-len("X: \r\n\r\n")) + "\r\n\r\n",
	} {
		if m := read([]byte(raw), len(raw), nil); m.err != nil {
			t.Errorf("%s at its limit: %v", name, m.err)
		}
	}
}

const chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

// status returns the status of a protocol error, 0 for any other outcome.
func status(err error) int {
	var e *http1.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
