package terminal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/terminal"
)

func TestIsNone(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if terminal.Is(&bytes.Buffer{}) || terminal.Is(file) || terminal.Is(null) || terminal.Fancy(file) {
		t.Error("a buffer, a file or the null device is taken for a terminal")
	}
	if c, r := terminal.Size(file); c != 0 || r != 0 {
		t.Errorf("a file has %d columns and %d rows", c, r)
	}
	if c, r := terminal.Size(&bytes.Buffer{}); c != 0 || r != 0 {
		t.Errorf("a buffer has %d columns and %d rows", c, r)
	}
	if _, err := terminal.Raw(file); err == nil {
		t.Error("single keys can be read from a file")
	}
}

func TestPrintable(t *testing.T) {
	const bad, want = "a\x1b[2J\r\t\u009b\x7fé\n", "a?[2J????é\n"
	if got, want := terminal.Line(bad), "a?[2J????é "; got != want {
		t.Errorf("%q in a line becomes %q, want %q", bad, got, want)
	}
	if got := terminal.Printable(bad); got != want {
		t.Errorf("%q becomes %q, want %q", bad, got, want)
	}
}
