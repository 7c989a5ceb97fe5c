package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProfiled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu")
	t.Setenv(profileVariable, path)
	if status := profiled(io.Discard, func() int { return 3 }); status != 3 {
		t.Errorf("status = %d, want that of the run, 3", status)
	}
	// A profile is a gzip stream.
	if b, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(b), "\x1f\x8b") {
		t.Errorf("profile begins with %.8q, %v", b, err)
	}
}

func TestProfiledIntoNowhere(t *testing.T) {
	t.Setenv(profileVariable, filepath.Join(t.TempDir(), "missing", "cpu"))
	var errOut strings.Builder
	ran := false
	status := profiled(&errOut, func() int { ran = true; return exitOK })
	if status != exitError || ran || !strings.Contains(errOut.String(), profileVariable) {
		t.Errorf("status %d, ran %v, said %q; want an error before the run", status, ran, errOut.String())
	}
}
