package daemon_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestScreen(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fancy bool
		text  string
		want  string
	}{
		{"plain", false, "/a → 2 × b…", "serving    /a -> 2 x b...\n"},
		{"terminal", true, "/a → b", "\x1b[32mserving    \x1b[0m/a → b\n"},
		{"a folder's name moves the cursor", true, "\x1b[2J\r\u009b\xff", "\x1b[32mserving    \x1b[0m?[2J??\ufffd\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			daemon.Say(&out, tt.fancy, "serving", tt.text)
			if out.String() != tt.want {
				t.Errorf("%q, want %q", out.String(), tt.want)
			}
		})
	}
}

func TestScreenAsLog(t *testing.T) {
	for _, tt := range []struct{ name, label, text, want string }{
		{"columns", "serving", "/srv/a   http://127.0.0.1:1/   static files", `level=INFO msg=serving text="/srv/a http://127.0.0.1:1/ static files"`},
		{"no label", "", "more", "level=INFO msg=note text=more"},
		{"warning", "warning", "careful", "level=WARN msg=warning text=careful"},
		{"failed", "failed", "why\n  File", `level=ERROR msg=failed text="why\n  File"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
			daemon.Record(log, tt.label, tt.text)
			if got := out.String(); got != tt.want+"\n" {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	const indent = "\n           "
	for _, tt := range []struct {
		name, text string
		width      int
		want       string
	}{
		{"fits", "one two → three", 15, "one two → three"},
		{"one too wide", "one two → three", 14, "one two →" + indent + "three"},
		{"columns", "/srv/site      http://127.0.0.1/", 20, "/srv/site" + indent + "http://127.0.0.1/"},
		{"a word that fits nowhere", "a /very/long/folder b", 12, "a" + indent + "/very/long/folder" + indent + "b"},
		{"several lines", "failed\n  File \"a.py\", line 1", 12, "failed\n  File \"a.py\", line 1"},
		{"unknown width", "one two → three", -11, "one two → three"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := daemon.Wrap(tt.text, tt.width); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
