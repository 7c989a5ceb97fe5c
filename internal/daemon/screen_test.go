package daemon_test

import (
	"bytes"
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
