package pyapp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// interpreters are those that the Python side is tested with: python3, and the
// ones that GATEHOUSE_TEST_PYTHONS lists, separated as in PATH.
func interpreters() []string {
	return append([]string{"python3"}, filepath.SplitList(os.Getenv("GATEHOUSE_TEST_PYTHONS"))...)
}

func TestPythonSide(t *testing.T) {
	files, err := filepath.Glob("worker/tests/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d Python tests, %v", len(files), err)
	}
	args := []string{"-W", "error", "-B", "-m", "unittest"}
	for _, file := range files {
		args = append(args, strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", "."))
	}
	for _, python := range interpreters() {
		t.Run(python, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if !strings.Contains(string(out), "\nOK") {
				t.Errorf("no OK:\n%s", out)
			}
			if strings.Contains(string(out), "Exception ignored") {
				t.Errorf("an exception that nobody could catch:\n%s", out)
			}
		})
	}
}

func TestOnEveryInterpreter(t *testing.T) {
	for _, python := range interpreters() {
		t.Run(python, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "good:plain", Python: python})
			for _, path := range []string{"/hello", "/generated", "/file", "/closing", "/replaced"} {
				if got := s.get(t, path); got.err != nil || got.status != 200 && path != "/replaced" {
					t.Errorf("%s: status %d, %v", path, got.status, got.err)
				}
			}
			if all := s.Stacks(t.Context()); len(all) != 1 || !strings.HasPrefix(all[0].Text, "MainThread, waits for a request") {
				t.Errorf("stacks %+v", all)
			}
			info := s.Info()
			t.Logf("%s %s", info.Implementation, info.Python)
			if info.Python == "" || info.Implementation == "" {
				t.Errorf("info: %+v", info)
			}
		})
	}
}
