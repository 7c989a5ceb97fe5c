package wording_test

import (
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{wording.Seconds(600 * time.Millisecond), "0.6 s"},
		{wording.Seconds(90 * time.Second), "1 min 30 s"},
		{wording.Seconds(26 * time.Hour), "26 h 0 min"},
		{wording.Roughly(-time.Second), "0 s"},
		{wording.Roughly(59*time.Second + 900*time.Millisecond), "59 s"},
		{wording.Roughly(90 * time.Minute), "1 h"},
		{wording.Roughly(47*time.Hour + 59*time.Minute), "47 h"},
		{wording.Roughly(48 * time.Hour), "2 days"},
		{wording.Amount(1), "1 byte"},
		{wording.Amount(999), "999 bytes"},
		{wording.Amount(12_345), "12.3 kB"},
		{wording.Amount(12_345_678), "12.3 MB"},
		{wording.Amount(12_345_678_901), "12.3 GB"},
		{wording.Count(0, "folder"), "0 folders"},
		{wording.Count(1, "folder"), "1 folder"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
