package pyapp

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestCutMark(t *testing.T) {
	tests := []struct {
		in, id, text string
		more         bool
	}{
		{in: "plain", text: "plain"},
		{in: "\x00id\x00text", id: "id", text: "text"},
		{in: "\x00id\x00\x00text", id: "id", text: "text", more: true},
		{in: "\x00id\x00", id: "id"},
		{in: "\x00id without an end", text: "\x00id without an end"},
		{in: "in \x00the\x00 middle", text: "in \x00the\x00 middle"},
	}
	for _, tt := range tests {
		if id, text, more := cutMark(tt.in); id != tt.id || text != tt.text || more != tt.more {
			t.Errorf("%q: %q, %q, %t", tt.in, id, text, more)
		}
	}
}

func TestLogLines(t *testing.T) {
	long := strings.Repeat("x", maxLine/2)
	tests := []struct {
		name, in string
		want     []string
	}{
		{"lines of no request", "a\n\nb\r\n", []string{"msg=a", "msg=b"}},
		{"no line end", "a", []string{"msg=a"}},
		{"a piece", "\x00id\x00\x00a\n\x00id\x00\x00\n\x00id\x00b\n", []string{`msg=a request=id output="\nb"`}},
		{"blank lines around", "\x00id\x00\x00\n\x00id\x00\x00a\n\x00id\x00\n", []string{"msg=a request=id"}},
		{"a piece that another interrupts", "\x00id\x00\x00a\n\x00other\x00b\n\x00id\x00c\n", []string{
			"msg=a request=id", "msg=b request=other", "msg=c request=id",
		}},
		{"a piece without an end", "\x00id\x00\x00a\n", []string{"msg=a request=id"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := logged(tt.in); strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
	t.Run("a piece is bounded", func(t *testing.T) {
		if n := len(logged(strings.Repeat("\x00id\x00\x00"+long+"\n", 40))); n < 2 || n > 4 {
			t.Errorf("%d records", n)
		}
	})
}

// logged returns the records that output leads to, without time and level.
func logged(output string) []string {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	logLines(strings.NewReader(output), slog.New(h))
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}
