package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// binary is the gatehouse that TestMain built; nothing writes it afterwards.
var binary string

// TestMain builds the binary from the tree that is tested, so that no stale one
// is looked at, and fails if a server, a browser or a goroutine is left.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "gatehouse-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "gatehouse")
		build := exec.Command("go", "build", "-o", binary, "../cmd/gatehouse")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: build gatehouse: %v\n%s", err, out)
			return 1
		}
		return testserver.Main(m, nil)
	}())
}

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// python is the interpreter of an example's virtual environment.
func python(t *testing.T, example string) string {
	t.Helper()
	path := filepath.Join(root(t), "build", "venv", example, "bin", "python")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v\nmake test makes this virtual environment", err)
	}
	return path
}
