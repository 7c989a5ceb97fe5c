package confine_test

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/cgroup/cgrouptest"
	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

var all = confine.Limits{Memory: 64 << 20, CPU: 0.5, Files: 70, Processes: 5000}

// printed starts a command in the cell and returns what it has printed.
func printed(t *testing.T, cell *confine.Cell, script string) string {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out strings.Builder
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr, cmd.Stdout = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}, &out
	if err := cell.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// open opens a cell that is closed with the test.
func open(t *testing.T, c confine.Confinement, asRoot bool) (*confine.Cell, *testserver.Log) {
	t.Helper()
	log := &testserver.Log{}
	cell, err := c.Open("/shop", asRoot, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cell.Close(); err != nil {
			t.Error(err)
		}
	})
	return cell, log
}

// tree is one in an ordinary folder, with these controllers.
func tree(t *testing.T, controllers string) (*cgroup.Tree, string) {
	t.Helper()
	dir := cgrouptest.Played(t)
	if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte(controllers), 0o644); err != nil {
		t.Fatal(err)
	}
	return cgrouptest.Tree(t, dir), dir
}

// ulimits prints what a process is held to by itself: KB of data, files, processes.
const ulimits = `grep -E '^Max (data|open|processes)' /proc/self/limits | awk '{print $(NF-1)}' | tr '\n' ' '`

// What a group does not hold, each process is held to by itself; what nothing
// holds is told.
func TestWhoHolds(t *testing.T) {
	const cpu, processes = "limit of CPU cores is not held: that takes", "limit of processes is not held for root: that takes"
	for _, tt := range []struct {
		name        string
		controllers string // "" for no group
		asRoot      bool
		each        string // data, processes, files
		unheld      []string
	}{
		{"nobody", "", false, "67108864 5000 70", []string{cpu}},
		{"nobody, root", "", true, "67108864 5000 70", []string{cpu, processes}},
		{"a group without controllers", "hugetlb", true, "67108864 5000 70", []string{cpu, processes}},
		{"memory and processes", "memory pids", true, "unlimited - 70", []string{cpu}},
		{"all", "cpu memory pids", true, "unlimited - 70", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := confine.Confinement{Limits: all}
			if tt.controllers != "" {
				c.Groups, _ = tree(t, tt.controllers)
			}
			cell, log := open(t, c, tt.asRoot)
			got := strings.Fields(printed(t, cell, ulimits))
			for i, want := range strings.Fields(tt.each) {
				if want == "-" && got[i] == "5000" || want != "-" && got[i] != want {
					t.Errorf("each is held to %v, want %s", got, tt.each)
				}
			}
			if len(cell.Unheld()) != len(tt.unheld) {
				t.Errorf("not held: %q, want %q", cell.Unheld(), tt.unheld)
			}
			for i, want := range tt.unheld {
				if i < len(cell.Unheld()) && !strings.Contains(cell.Unheld()[i], want) {
					t.Errorf("not held: %q, want %q", cell.Unheld(), tt.unheld)
				}
				log.Line(t, "level=WARN", want)
			}
			if len(tt.unheld) == 0 && log.String() != "" {
				t.Errorf("it says %s", log)
			}
		})
	}
}

// Without limits nothing is said and nothing done, wherever the server runs.
func TestNothing(t *testing.T) {
	free := printed(t, nil, ulimits)
	for name, c := range map[string]confine.Confinement{"none": {}, "of nobody": (*confine.Cell)(nil).Share()} {
		cell, log := open(t, c, true)
		if got := printed(t, cell, ulimits); got != free || log.String() != "" || cell.Unheld() != nil || cell.KilledForMemory() {
			t.Errorf("%s: %q, want %q; %s", name, got, free, log)
		}
	}
	groups, dir := tree(t, "cpu memory pids")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, log := open(t, confine.Confinement{Groups: groups}, true) // the group cannot be made, and none is needed
	log.Line(t, "level=WARN", "there is no control group for the application", "no such file")
	if _, err := (confine.Confinement{Groups: groups, Limits: all}).Open("shop", true, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("limits that cannot be held are no error")
	}
}

// What the kernel does in a group is told in words; who asks for the reason of a
// death gets it once for each.
func TestEvents(t *testing.T) {
	groups, dir := tree(t, "cpu memory pids")
	cell, log := open(t, confine.Confinement{Limits: all, Groups: groups}, false)
	part, err := cell.Share().Open("part", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		all, _ := filepath.Glob(filepath.Join(dir, "app-shop-*")) // the pattern is fine
		if len(all) != 1 {
			t.Fatalf("groups %v", all)
		}
		if err := os.WriteFile(filepath.Join(all[0], name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("memory.events", "oom 1\noom_kill 1\n")
	log.Line(t, "level=ERROR", "has reached its limit of memory; the kernel has ended some of its processes", "limit=67108864", "processes=1")
	if !part.KilledForMemory() || cell.KilledForMemory() {
		t.Error("one process was ended, and one reason is to be had")
	}
	put("pids.events", "max 12\n")
	log.Line(t, "level=WARN", "could not start more", "limit=5000", "refused=12")
	put("pids.events", "max 13\n")
	put("memory.events", "oom 1\noom_kill 3\n")
	log.Line(t, "level=ERROR", "processes=2")
	if n := strings.Count(log.String(), "could not start more"); n != 1 {
		t.Errorf("told %d times", n)
	}
	if err := part.Close(); err != nil {
		t.Error(err)
	}
	put("cpu.stat", "") // the group is there: whoever was lent a cell does not end it
}

// A process that is started as somebody else has its limits too, and one that
// cannot have them runs nothing.
func TestAsSomebodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		// Only root can start a process as somebody else, and it says so.
		cell, _ := open(t, confine.Confinement{Limits: all}, false)
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61237, Gid: 61237}}
		if err := cell.Start(cmd); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%v", err)
		}
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cell, _ := open(t, confine.Confinement{Limits: all}, false)
	var out strings.Builder
	cmd := exec.Command("/bin/sh", "-c", "id -u; ulimit -n")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61237, Gid: 61237}, Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Dir = &out, "/"
	if err := cell.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "61237\n70\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if os.Getuid() != 0 {
		t.Error("the thread did not become itself again")
	}
}

// A process that has ended before it could get its limits is there to be reaped.
func TestEndedAtOnce(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cell, _ := open(t, confine.Confinement{Limits: all}, false)
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cell.Prepare(cmd.SysProcAttr, confine.PerProcess{})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	lifeline.Await(cmd.Process.Pid)
	if err := cell.Impose(cmd.Process.Pid, nil, confine.PerProcess{}); !errors.Is(err, confine.ErrUnlimited) || !strings.Contains(err.Error(), "it ended at once") {
		t.Errorf("%v", err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("it cannot be reaped: %v", err)
	}
}

// Where the system forbids ptrace it is said that limits take it, and nothing else
// that is refused is taken for that.
func TestPtraceForbidden(t *testing.T) {
	limited, _ := open(t, confine.Confinement{Limits: all}, false)
	start := func(cell *confine.Cell, program string) error {
		cmd := exec.Command(program)
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		err := cell.Start(cmd)
		if err == nil {
			_ = cmd.Wait() // how it ends does not count
		}
		return err
	}
	const why = "this system forbids ptrace, which setting limits takes"
	noProgram := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(noProgram, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := start(limited, noProgram); !errors.Is(err, syscall.EACCES) || errors.Is(err, confine.ErrUnlimited) {
		t.Errorf("a file that is not executable: %v", err)
	}
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSYS} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // for good: the thread ends with this, for it cannot become what it was
			if err := forbidPtrace(errno); err != nil {
				t.Error(err)
				return
			}
			if err := start(limited, "/bin/true"); !errors.Is(err, confine.ErrUnlimited) || !errors.Is(err, errno) || !strings.Contains(err.Error(), why) {
				t.Errorf("with limits: %v", err)
			}
			if err := start(nil, "/bin/true"); err != nil {
				t.Errorf("without limits: %v", err)
			}
		}()
		<-done
	}
}

// forbidPtrace has ptrace fail with errno from now on, for the calling thread and
// what it starts.
func forbidPtrace(errno syscall.Errno) error {
	const (
		setSeccomp    = 22 // PR_SET_SECCOMP
		modeFilter    = 2
		setNoNewPrivs = 38
		load          = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS
		ifEqual       = syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K
		answer        = syscall.BPF_RET | syscall.BPF_K
		fails, goes   = 0x00050000, 0x7fff0000
	)
	filter := []syscall.SockFilter{
		{Code: load}, // the number of the system call
		{Code: ifEqual, K: syscall.SYS_PTRACE, Jf: 1},
		{Code: answer, K: fails | uint32(errno)},
		{Code: answer, K: goes},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return os.NewSyscallError("no_new_privs", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setSeccomp, modeFilter, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	return nil
}
