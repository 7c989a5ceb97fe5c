package fieldline_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/fieldline"
)

func TestParse(t *testing.T) {
	tests := []struct{ line, name, value, err string }{
		{"Content-Type: text/plain", "Content-Type", "text/plain", ""},
		{"X:", "X", "", ""},
		{"X:\t a b \t", "X", "a b", ""},
		{"X: caf\xe9", "X", "caf\xe9", ""},
		{"X", "", "", "a field line without a name"},
		{": x", "", "", "a field line without a name"},
		{"X : x", "", "", "byte 0x20 in a field's name"},
		{" X: x", "", "", "byte 0x20 in a field's name"},
		{"X: a\rb", "", "", "byte 0xd in a field's value"},
		{"X: a\x00b", "", "", "byte 0x0 in a field's value"},
		{"X: a\x7f", "", "", "byte 0x7f in a field's value"},
	}
	for _, tt := range tests {
		name, value, err := fieldline.Parse([]byte(tt.line))
		var got string
		if err != nil {
			got = err.Error()
		}
		if string(name) != tt.name || string(value) != tt.value || got != tt.err {
			t.Errorf("%q: %q, %q, %q", tt.line, name, value, got)
		}
	}
}
