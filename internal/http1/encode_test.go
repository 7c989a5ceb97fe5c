package http1_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

func TestAppendStatusLine(t *testing.T) {
	for status, want := range map[int]string{
		100: "HTTP/1.1 100 Continue\r\n",
		200: "HTTP/1.1 200 OK\r\n",
		413: "HTTP/1.1 413 Content Too Large\r\n",
		511: "HTTP/1.1 511 Network Authentication Required\r\n",
		299: "HTTP/1.1 299 \r\n",
		999: "HTTP/1.1 999 \r\n",
	} {
		if got := string(http1.AppendStatusLine([]byte("x"), status)); got != "x"+want {
			t.Errorf("%d: %q, want %q after x", status, got, want)
		}
	}
	for _, status := range []int{-1, 0, 99, 1000} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d: no panic", status)
				}
			}()
			http1.AppendStatusLine(nil, status)
		}()
	}
}

func TestAppendField(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"plain", "a b", "X: a b\r\n"},
		{"empty", "", "X: \r\n"},
		{"white space around", " \ta\t ", "X: a\r\n"},
		{"tab and bytes above ASCII inside", "a\t\xff", "X: a\t\xff\r\n"},
		{"injected field", "a\r\nSet-Cookie: b", "X: a  Set-Cookie: b\r\n"},
		{"injected body", "a\r\n\r\n<script>", "X: a    <script>\r\n"},
		{"NUL, escape and DEL", "a\x00b\x1bc\x7fd", "X: a b c d\r\n"},
		{"controls far into a value", "0123456789abcdef\n0123456789abcdef\n", "X: 0123456789abcdef 0123456789abcdef \r\n"},
	} {
		if got := string(http1.AppendField(nil, "X", tt.value)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	h := map[string][]string{
		"Zeta":          {"1"},
		"Alpha":         {"2", "3"},
		"Connection":    {"close"},
		"None":          nil,
		"Bad Name":      {"x"},
		"":              {"x"},
		"Bad\r\nInject": {"x"},
		"Trailer:X":     {"x"},
	}
	want := "Alpha: 2\r\nAlpha: 3\r\nZeta: 1\r\n"
	if got := string(http1.AppendHeader(nil, h, http1.FramingField)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAppendChunks(t *testing.T) {
	b := http1.AppendChunkHead(nil, 31)
	b = append(b, "..."+http1.ChunkEnd...)
	b = http1.AppendLastChunk(b, nil)
	if want := "1f\r\n...\r\n0\r\n\r\n"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
	b = http1.AppendLastChunk(nil, map[string][]string{"X-Sum": {"1"}, "Content-Length": {"5"}})
	if want := "0\r\nX-Sum: 1\r\n\r\n"; string(b) != want {
		t.Errorf("with trailers: got %q, want %q", b, want)
	}
}

func TestValidField(t *testing.T) {
	for name, want := range map[string]bool{"X": true, "x-1_2!": true, "": false, "a b": false, "a:": false, "ü": false, "a\r": false} {
		if got := http1.ValidFieldName(name); got != want {
			t.Errorf("ValidFieldName(%q) = %t", name, got)
		}
	}
	for value, want := range map[string]bool{"": true, " a\t": true, "\xff": true, "a\n": false, "a\r": false, "\x00": false, "\x7f": false} {
		if got := http1.ValidFieldValue(value); got != want {
			t.Errorf("ValidFieldValue(%q) = %t", value, got)
		}
	}
}
