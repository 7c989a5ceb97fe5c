package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup/cgrouptest"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// overstepping answers with how far it came until it met a limit.
const overstepping = `import os, time

def files(kept):
    kept.append(os.open("/dev/null", os.O_RDONLY))

def memory(kept):
    kept.append(bytearray(1 << 20))

def processes(kept):
    pid = os.fork()
    if pid == 0:
        os.close(hold[1])
        os.read(hold[0], 1)
        os._exit(0)
    kept.append(pid)

def app(environ, start_response):
    global hold
    start_response("200 OK", [("Content-Type", "text/plain")])
    what = environ["PATH_INFO"].strip("/")
    if what == "group":
        with open("/proc/self/cgroup") as file:
            return [file.read().encode()]
    if what == "cpu":
        end, own = time.monotonic() + 2, time.process_time()
        while time.monotonic() < end:
            pass
        return [b"%d" % ((time.process_time() - own) * 1000)]
    hold, kept = os.pipe(), []
    try:
        while len(kept) < 1000:
            globals()[what](kept)
    except (OSError, MemoryError):
        pass
    n = len(kept)
    for end in hold:
        os.close(end)
    for one in kept:
        if what == "files":
            os.close(one)
        if what == "processes":
            os.waitpid(one, 0)
    return [b"%d" % n]
`

// threadsOf counts the threads of a user, which are what Linux bounds.
func threadsOf(uid int) (n int) {
	all, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is fine
	owner, threads := regexp.MustCompile(`(?m)^Uid:\t`+strconv.Itoa(uid)+`\t`), regexp.MustCompile(`(?m)^Threads:\t(\d+)`)
	for _, name := range all {
		status, err := os.ReadFile(name)
		if m := threads.FindSubmatch(status); err == nil && owner.Match(status) && m != nil {
			one, _ := strconv.Atoi(string(m[1])) // digits
			n += one
		}
	}
	return n
}

// Applications of an ordinary user meet their limits and no others do; where the
// server is in a control group of its own, so is each application, and nothing is
// left of it at the end.
func TestLimits(t *testing.T) {
	dir, uid := t.TempDir(), os.Geteuid()
	args := []string{"run", "--python", "/usr/bin/python3"}
	if uid == 0 {
		uid = 65534
		args = append(args, "--user", "nobody")
	}
	for _, name := range []string{"greedy", "calm"} {
		folder := filepath.Join(dir, "webapps", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "app.py"), []byte(overstepping), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The server has threads of the same user, and other tests may have processes.
	processes := threadsOf(uid) + 100
	toml := fmt.Sprintf("[apps.greedy]\nlimit_files = 100\nlimit_memory = \"120MB\"\nlimit_processes = %d\nlimit_cpu = 0.5\n", processes)
	if err := os.WriteFile(filepath.Join(dir, "gatehouse.toml"), []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(dir, "webapps"), uid, -1); err != nil {
		t.Fatal(err)
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "control.sock")
	s := newServer(dir, append(os.Environ(), "VIRTUAL_ENV="), append(args, "--control", socket, "0"))
	group, kernels := cgrouptest.Folder(t)
	if kernels {
		folder, err := os.Open(group)
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		s.cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(folder.Fd())}
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	text, err := s.await(regexp.MustCompile(`ready +http://[^ ]+/`), s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	url := regexp.MustCompile(`http://[^ ]+/`).FindString(text)
	ask := func(path string) (status int, body string) {
		t.Helper()
		resp, body := testserver.Do(t, testserver.NewRequest(t, http.MethodGet, url+path, ""))
		return resp.StatusCode, body
	}
	get := func(path string) string {
		t.Helper()
		status, body := ask(path)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s; it wrote:\n%s", path, status, body, s.errOut)
		}
		return body
	}
	holds := func(controller string) bool {
		have, err := os.ReadFile(filepath.Join(group, "cgroup.controllers"))
		return kernels && err == nil && slices.Contains(strings.Fields(string(have)), controller)
	}
	most := map[string]int{"files": 100, "memory": 120, "processes": processes}
	if holds("memory") {
		// All that the application has counts, and the kernel ends what goes beyond.
		delete(most, "memory")
		if status, body := ask("greedy/memory"); status != http.StatusBadGateway {
			t.Errorf("more memory than there is: %d %s", status, body)
		}
		for _, says := range []string{"the application has reached its limit of memory", `reason="out of memory"`} {
			if text, err := s.await(regexp.MustCompile(says), s.errOut); err != nil {
				t.Errorf("%v; it wrote:\n%s", err, text)
			}
		}
	}
	if holds("cpu") {
		most["cpu"] = 1500 // ms of two seconds; half of them, and what a period is begun with
	}
	for what, most := range most {
		if n, err := strconv.Atoi(get("greedy/" + what)); err != nil || n < 10 || n >= most {
			t.Errorf("%s: %d, %v; want less than %d", what, n, err, most)
		}
	}
	for _, what := range []string{"files", "memory"} {
		if n := get("calm/" + what); n != "1000" {
			t.Errorf("%s of another application: %s", what, n)
		}
	}
	if kernels {
		for _, name := range []string{"greedy", "calm"} {
			if got := get(name + "/group"); !strings.Contains(got, "/"+filepath.Base(group)+"/app-"+name+"-") {
				t.Errorf("%s is in %s", name, got)
			}
		}
	}
	const warning = "/greedy: the limit of CPU cores is not held"
	status := exec.Command("gatehouse", "status", "--control", socket)
	status.Env = append(os.Environ(), quickExit)
	out, err := status.CombinedOutput()
	if held := holds("cpu"); err != nil || held == strings.Contains(string(out), warning) {
		t.Errorf("status: %v, held: %v\n%s", err, held, out)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; it wrote:\n%s", status, err, s.errOut)
	}
	if left, _ := filepath.Glob(filepath.Join(group, "app-*")); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}
