package pyapp_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	_, named := namedFiles(t)
	for _, python := range interpreters() {
		t.Run(python, func(t *testing.T) {
			config := func(app string) pyapp.Config {
				// What the interpreter warns of is an error here, also in our own code.
				return pyapp.Config{App: app, Python: python, Env: append(os.Environ(), "PYTHONWARNINGS=error")}
			}
			good := serve(t, config("good:application"))
			info := good.Info()
			t.Logf("%s %s", info.Implementation, info.Python)
			if info.Python == "" || info.Implementation == "" {
				t.Errorf("info: %+v", info)
			}
			checkGood(t, good, "good:application")
			eventually(t, "the stack of a worker at rest", func() bool {
				all := good.Stacks(t.Context())
				return len(all) == 1 && strings.HasPrefix(all[0].Text, "MainThread, waits for a request")
			})
			checkGood(t, serve(t, config("good:plain")), "good:plain")
			checkBad(t, serve(t, config("bad")))

			files := config("files")
			files.Env, files.Sendfile, files.AccelRedirect = named.Env, true, named.AccelRedirect
			s := serve(t, files)
			for path, body := range map[string]string{"/sendfile?ten": "0123456789", "/redirect?/protected/inner/file": "inner"} {
				if got := s.get(t, path); got.status != 200 || got.body != body {
					t.Errorf("%s: status %d, body %q", path, got.status, got.body)
				}
			}
			for path, status := range map[string]int{"/redirect?/protected/way_out": 500, "/redirect?/protected/linked_folder/outside": 404} {
				if got := s.get(t, path); got.status != status {
					t.Errorf("%s: status %d, want %d", path, got.status, status)
				}
			}

			streamed := config("uploads")
			streamed.StreamRequests = true
			s = serve(t, streamed)
			content := strings.Repeat("0123456789abcdef", 50000)
			got := s.do(t, request(t, http.MethodPost, s.url+"/digest", io.MultiReader(strings.NewReader(content))))
			if want := fmt.Sprintf("%d %x", len(content), sha256.Sum256([]byte(content))); got.body != want {
				t.Errorf("streamed body: %q, want %q", got.body, want)
			}
			checkRandom(t, serve(t, config("forked")))
		})
	}
}

// checkRandom compares what two workers forked from the same template draw first.
func checkRandom(t *testing.T, s *site) {
	t.Helper()
	first := s.get(t, "/")
	pid, err := strconv.Atoi(first.header.Get("X-Pid"))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	var second reply
	eventually(t, "another worker", func() bool {
		second = s.get(t, "/")
		return second.status == http.StatusOK && second.header.Get("X-Pid") != first.header.Get("X-Pid")
	})
	numbers, others := strings.Fields(first.body), strings.Fields(second.body)
	if len(numbers) != 4 || len(others) != 4 {
		t.Fatalf("%q and %q", first.body, second.body)
	}
	for i, name := range []string{"random", "ssl", "uuid", "secrets"} {
		if numbers[i] == others[i] {
			t.Errorf("%s: %s in both workers", name, numbers[i])
		}
	}
}
