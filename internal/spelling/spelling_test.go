package spelling_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/spelling"
)

func TestNearest(t *testing.T) {
	names := []string{"run", "status", "workers", "max_body", "max_head"}
	for _, tt := range []struct{ name, word, want string }{
		{"swapped", "rnu", "run"},
		{"one too few", "worker", "workers"},
		{"one wrong", "max-body", "max_body"},
		{"other case", "Workers", "workers"},
		{"two wrong", "stauts", "status"},
		{"three wrong", "wrkrss", ""},
		{"half of the word", "rxx", ""},
		{"like none", "pictures", ""},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := spelling.Nearest(tt.word, names); got != tt.want {
				t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}
