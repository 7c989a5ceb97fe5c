package pyapp_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup/cgrouptest"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// overstepper is whom applications run as that are to meet their limits: root is
// not bound by all of them. Nothing else on the machine runs as that user, so that
// its processes can be counted; only root can become it.
func overstepper() *pyapp.User {
	if os.Getuid() != 0 {
		return nil
	}
	return &pyapp.User{UID: 61235, GID: 61235}
}

// oversteppingApp is the application, as that user, in a folder that it can reach.
func oversteppingApp(t *testing.T) pyapp.Config {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/apps/overstepping.py")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overstepping.py"), text, 0o644)
	}
	if err == nil {
		err = os.Chmod(filepath.Dir(dir), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pyapp.Config{
		Dir: dir, App: "overstepping", User: overstepper(),
		Python: "/usr/bin/python3", // one that other users may run, wherever PATH leads
		Env:    []string{"PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1"},
	}
}

// threads counts the threads of whoever applications run as, which are what Linux
// bounds.
func threads(t *testing.T) (n int) {
	t.Helper()
	uid := strconv.Itoa(os.Getuid())
	if u := overstepper(); u != nil {
		uid = strconv.FormatUint(uint64(u.UID), 10)
	}
	all, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is fine
	for _, name := range all {
		status, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(status), "\nUid:\t"+uid+"\t") {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "\nThreads:\t")
		number, _, _ := strings.Cut(rest, "\n")
		one, _ := strconv.Atoi(number) // one that ends has none
		n += one
	}
	return n
}

// An application meets each limit as an error of its own, and goes on; so does
// another beside it.
func TestLimitsOfProcesses(t *testing.T) {
	other := serve(t, pyapp.Config{App: "overstepping"})
	before := threads(t)
	c := oversteppingApp(t)
	c.Confinement.Limits = pyapp.Limits{Memory: 96 << 20, Files: 80, Processes: before + 12}
	s := serve(t, c)
	want := strconv.Itoa(96<<20) + " 80 " + strconv.Itoa(before+12)
	if got := s.get(t, "/limits"); got.body != want {
		t.Errorf("%d %q, want %q", got.status, got.body, want)
	}
	pid := s.get(t, "/pid").body
	for name, most := range map[string]int{"memory": 96, "files": 80, "processes": 12} {
		got := s.get(t, "/"+name)
		n, err := strconv.Atoi(got.body)
		if got.status != http.StatusOK || err != nil || n < most/4 || n >= most {
			t.Errorf("%s: %d %q, want a number somewhat below %d", name, got.status, got.body, most)
		}
	}
	if got := s.get(t, "/exhausted"); got.status != http.StatusInternalServerError {
		t.Errorf("more memory than there is: %d", got.status)
	}
	s.log.Line(t, "MemoryError")
	if now := s.get(t, "/pid").body; now != pid {
		t.Errorf("the worker was replaced: %s, and %s before", now, pid)
	}
	if got := other.get(t, "/files"); got.body != "512" {
		t.Errorf("another application: %d %q", got.status, got.body)
	}
}

// Workers that import the application by themselves, and those of a reload, have
// the same limits.
func TestLimitsOfEachProcess(t *testing.T) {
	c := oversteppingApp(t)
	c.NoPreload, c.Workers = true, 2
	c.Confinement.Limits.Files = 77
	s := serve(t, c)
	for range 2 {
		if got := s.get(t, "/limits").body; !strings.HasSuffix(got, " 77 "+strings.Fields(got)[2]) {
			t.Errorf("limits %q", got)
		}
		if err := s.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A limit in which not even an interpreter can live is an error of the start, and
// says why.
func TestLimitBelowAnInterpreter(t *testing.T) {
	c := pyapp.Config{Dir: "testdata/apps", App: "overstepping", Workers: 1}
	c.Confinement.Limits.Memory = 1 << 20
	p, err := pyapp.Open(c)
	if err == nil {
		p.Close()
		t.Fatal("it runs")
	}
	t.Log(err)
}

// All processes of a version are in one group, that of another in another, and a
// version ends with everything that was in its group.
func TestGroupOfEachVersion(t *testing.T) {
	dir, kernels := cgrouptest.Folder(t)
	c := oversteppingApp(t)
	c.Name, c.Confinement.Groups = "/shop", cgrouptest.Tree(t, dir)
	s := serve(t, c)
	groups := func() []string {
		all, err := filepath.Glob(filepath.Join(dir, "app-shop-*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	first := groups()
	if len(first) != 1 {
		t.Fatalf("groups %v", first)
	}
	var left int
	if kernels {
		if got := s.get(t, "/group").body; !strings.HasSuffix(got, "/"+filepath.Base(first[0])) {
			t.Errorf("a worker is in %s, its version's group is %s", got, first[0])
		}
		var err error
		if left, err = strconv.Atoi(s.get(t, "/daemon").body); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the old version's group", func() bool {
		now := groups()
		return len(now) == 1 && now[0] != first[0]
	})
	if kernels && lives(left) {
		t.Errorf("process %d has survived its version", left)
	}
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("the new version: %d", got.status)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if now := groups(); len(now) != 0 {
		t.Errorf("left are %v", now)
	}
}

// lives reports whether a process runs; one that nobody has reaped does not.
func lives(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "\nState:\tZ")
}

// A worker that the kernel has ended for its memory is told from one that somebody
// has killed.
func TestWorkerThatTheKernelEnds(t *testing.T) {
	dir := cgrouptest.Played(t)
	c := pyapp.Config{App: "overstepping"}
	c.Confinement = pyapp.Confinement{Groups: cgrouptest.Tree(t, dir), Limits: pyapp.Limits{Memory: 100 << 20}}
	s := serve(t, c)
	kill := func() {
		before := s.get(t, "/pid").body
		pid, err := strconv.Atoi(before)
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "another worker", func() bool {
			now := s.get(t, "/pid")
			return now.status == http.StatusOK && now.body != before
		})
	}
	kill()
	s.log.Line(t, "a worker ended", `"worker":1`, `"reason":"crash"`)
	events, err := filepath.Glob(filepath.Join(dir, "app-*", "memory.events"))
	if err == nil && len(events) == 1 {
		err = os.WriteFile(events[0], []byte("oom_kill 1\n"), 0o644)
	}
	if err != nil {
		t.Fatal(events, err)
	}
	s.log.Line(t, "the application has reached its limit of memory", `"limit":104857600`)
	kill()
	s.log.Line(t, "a worker ended", `"worker":2`, `"reason":"out of memory"`, "killed")
	kill()
	s.log.Line(t, "a worker ended", `"worker":3`, `"reason":"crash"`)
}

// What cannot be held is told with the state of the pool.
func TestUnheldLimit(t *testing.T) {
	c := pyapp.Config{App: "overstepping"}
	c.Confinement.Limits.CPU = 0.5
	s := serve(t, c)
	if all := s.Status().Unheld; len(all) != 1 || !strings.Contains(all[0], "the limit of CPU cores is not held") {
		t.Errorf("%q", all)
	}
	s.log.Line(t, `"level":"WARN"`, "the limit of CPU cores is not held")
}
