package daemon_test

import (
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{daemon.Seconds(600 * time.Millisecond), "0.6 s"},
		{daemon.Seconds(90 * time.Second), "1 min 30 s"},
		{daemon.Seconds(26 * time.Hour), "26 h 0 min"},
		{daemon.Amount(1), "1 byte"},
		{daemon.Amount(999), "999 bytes"},
		{daemon.Amount(12_345), "12.3 kB"},
		{daemon.Amount(12_345_678), "12.3 MB"},
		{daemon.Amount(12_345_678_901), "12.3 GB"},
		{daemon.Count(0, "folder"), "0 folders"},
		{daemon.Count(1, "folder"), "1 folder"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
