package compat_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi/compat"
)

// TestPythonSide runs the tests in Python with python3 and with all that
// GATEHOUSE_TEST_PYTHONS lists, separated as in PATH.
func TestPythonSide(t *testing.T) {
	files, err := filepath.Glob("tests/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d Python tests, %v", len(files), err)
	}
	args := []string{"-W", "error", "-B", "-m", "unittest"}
	for _, file := range files {
		args = append(args, strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", "."))
	}
	for _, python := range append([]string{"python3"}, filepath.SplitList(os.Getenv("GATEHOUSE_TEST_PYTHONS"))...) {
		t.Run(python, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "\nOK") || strings.Contains(string(out), "Exception ignored") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestWrite writes what the Python tests lay out, for everybody to read.
func TestWrite(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	if err := compat.Write(dir); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if want := os.FileMode(0o644) | info.Mode().Perm()&0o111; info.Mode().Perm() != want || e.IsDir() != (want == 0o755) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		name, err := filepath.Rel(dir, path)
		got = append(got, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"cgi.py", "cgitb.py", "gatehouse_compat", "gatehouse_compat/__init__.py", "gatehouse_compat/cgi.py", "gatehouse_compat/cgitb.py"}
	if !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
	if err := compat.Write(dir); err == nil {
		t.Error("it has been written twice into the same folder")
	}
}
