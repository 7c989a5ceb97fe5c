package cgroup_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
	"github.com/seed-07905ac1/gatehouse/internal/cgroup/cgrouptest"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// asServer in the environment makes the test binary a server that takes over the
// group it is in.
const asServer = "CGROUP_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		if err := takeOver(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testserver.Main(m, nil))
}

func TestLocate(t *testing.T) {
	const hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	const unified = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	for _, tt := range []struct{ name, groups, mounts, want string }{
		{"unified", "0::/system.slice/gatehouse.service\n", unified, "/sys/fs/cgroup/system.slice/gatehouse.service"},
		{"hybrid", "4:memory:/a\n0::/b\n", hybrid, "/sys/fs/cgroup/unified/b"},
		{"container with a view of its own", "0::/\n", unified, "/sys/fs/cgroup"},
		{"container without", "0::/docker/1\n", "9 8 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "/sys/fs/cgroup"},
		{"space in the path", "0::/a\n", "9 8 0:26 / /mnt/of\\040mine rw - cgroup2 cgroup rw\n", "/mnt/of mine/a"},
		{"the second mount", "0::/a/b\n", "9 8 0:26 /other /o rw - cgroup2 c rw\n10 8 0:26 /a /x rw - cgroup2 c rw\n", "/x/b"},
		{"version 1 only", "4:memory:/a\n", hybrid, ""},
		{"not mounted", "0::/a\n", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", ""},
		{"outside of the view", "0::/../a\n", unified, ""},
		{"nonsense", "0::a\n", "- cgroup2\n \n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := cgroup.Locate(tt.groups, tt.mounts)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// A group is taken only if nobody else has a claim to it.
func TestDelegated(t *testing.T) {
	alone := strconv.Itoa(os.Getpid()) + "\n"
	for _, tt := range []struct {
		name  string
		files map[string]string // "-" for one that is not there
		want  string            // in the error; "" for none
	}{
		{"alone in it", map[string]string{"cgroup.procs": alone}, ""},
		{"the machine's", map[string]string{"cgroup.procs": alone, "cgroup.type": "-"}, "whole machine"},
		{"with others", map[string]string{"cgroup.procs": alone + "1\n"}, "others than the server are in"},
		{"with somebody out of sight", map[string]string{"cgroup.procs": "0\n" + alone}, "others than the server are in"},
		{"of threads", map[string]string{"cgroup.procs": alone, "cgroup.type": "threaded\n"}, "of type threaded"},
		{"without a way to hand on", map[string]string{"cgroup.procs": alone, "cgroup.subtree_control": "-"}, "may not change"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := cgrouptest.Played(t)
			for name, text := range tt.files {
				err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
				if text == "-" {
					err = os.Remove(filepath.Join(dir, name))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			err := cgroup.Delegated(dir)
			if _, booted := os.Lstat("/run/systemd/system"); booted == nil && tt.want == "" {
				tt.want = "systemd has not delegated"
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// The files of a group say its limits, and nothing of what it has no controller for.
func TestLimits(t *testing.T) {
	all := cgroup.Limits{Memory: 300 << 20, CPU: 1.5, Processes: 40}
	for _, tt := range []struct {
		name        string
		controllers string
		limits      cgroup.Limits
		want        map[string]string
	}{
		{"all", "cpu io memory pids\n", all, map[string]string{"memory.max": "314572800", "memory.swap.max": "0", "cpu.max": "150000 100000", "pids.max": "40"}},
		{"half a core", "cpu", cgroup.Limits{CPU: 0.5}, map[string]string{"cpu.max": "50000 100000"}},
		{"the least share", "cpu", cgroup.Limits{CPU: 0.01}, map[string]string{"cpu.max": "1000 100000"}},
		{"none asked for", "cpu memory pids", cgroup.Limits{}, map[string]string{}},
		{"no controllers", "hugetlb\n", all, map[string]string{}},
		{"one controller", "pids\n", all, map[string]string{"pids.max": "40"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := cgrouptest.Played(t)
			if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte(tt.controllers), 0o644); err != nil {
				t.Fatal(err)
			}
			tree := cgrouptest.Tree(t, dir)
			g, err := tree.Make("/shop", tt.limits)
			if err != nil {
				t.Fatal(err)
			}
			got := contents(t, g.Path())
			delete(got, "memory.events")
			delete(got, "pids.events")
			if !maps.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(g.Path()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the group is there still: %v", err)
			}
		})
	}
}

// contents are the files in a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What happens in a group is told, and nothing of what happens in another one.
func TestEvents(t *testing.T) {
	tree := cgrouptest.Tree(t, cgrouptest.Played(t))
	quiet, err := tree.Make("quiet", cgroup.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	quiet.Heed(func(e cgroup.Events) { t.Errorf("%+v in a group where nothing happens", e) })
	g, err := tree.Make("shop", cgroup.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	told := make(chan cgroup.Events, 16)
	g.Heed(func(e cgroup.Events) { told <- e })
	if e := g.Events(); e != (cgroup.Events{}) {
		t.Errorf("%+v before anything has happened", e)
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(g.Path(), name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("memory.events", "low 0\nhigh 0\nmax 812\noom 2\noom_kill 2\noom_group_kill 0\n")
	await(t, told, cgroup.Events{Killed: 2})
	put("pids.events", "max 7\n")
	await(t, told, cgroup.Events{Killed: 2, Refused: 7})
}

// await waits for these events; a file that is written anew is empty for a moment.
func await(t *testing.T, told <-chan cgroup.Events, want cgroup.Events) {
	t.Helper()
	for e := range told {
		if e == want {
			return
		}
		if e.Killed > want.Killed || e.Refused > want.Refused {
			t.Fatalf("%+v, want %+v", e, want)
		}
	}
}

// Processes are born in the group, with all that they start, and end with it: also
// those that have left every other tie behind. Groups that they have made below go
// as well.
func TestMembership(t *testing.T) {
	dir, kernels := cgrouptest.Folder(t)
	tree := cgrouptest.Tree(t, dir)
	g, err := tree.Make("shop", cgroup.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if !kernels {
		t.Logf("no group can be made here, so nobody is in one: only the files in %s are tested", dir)
		return
	}
	cmd := exec.Command("/bin/sh", "-c", "setsid sh -c 'echo $$; exec sleep 1000' & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	g.Attach(cmd.SysProcAttr)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	left := strings.TrimSpace(line)
	members, err := os.ReadFile(filepath.Join(g.Path(), "cgroup.procs"))
	want := []string{strconv.Itoa(cmd.Process.Pid), left}
	if got := strings.Fields(string(members)); err != nil || !slices.Equal(got, want) {
		t.Errorf("in the group are %v, %v; want %v", got, err, want)
	}
	if err := os.Mkdir(filepath.Join(g.Path(), "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.Path(), "below", "cgroup.procs"), []byte(left), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("the process ended with %v", err)
	}
	if _, err := io.Copy(io.Discard, out); err == nil {
		t.Error("what the other one has written was still open")
	}
	if _, err := os.Lstat(g.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the group is there still: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

// What a server that was killed has left in its groups ends when the next one takes
// the tree over, and is in nobody's way; nor is a group that stays. Names of units
// and folders are no patterns.
func TestLeftOver(t *testing.T) {
	dir, kernels := cgrouptest.Folder(t)
	dir = filepath.Join(dir, `unit\x2d[a]*`)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before, err := cgroup.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cgroup.At(dir); err == nil || !strings.Contains(err.Error(), "another server has "+dir) {
		t.Errorf("a second tree of the same group: %v", err)
	}
	var paths []string
	survivor := exec.Command("sleep", "1000")
	survivor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for range 2 {
		g, err := before.Make("blog", cgroup.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		g.Attach(survivor.SysProcAttr) // the second, last
		paths = append(paths, g.Path())
	}
	if err := survivor.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- survivor.Wait() }()
	if !kernels {
		_ = survivor.Process.Kill() // it is in no group
	}
	if err := before.Close(); err != nil { // as the end of a process does, with the groups left
		t.Fatal(err)
	}
	tree := cgrouptest.Tree(t, dir)
	for _, path := range paths {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there still: %v", path, err)
			_ = survivor.Process.Kill() // the test is to end
		}
	}
	if err := <-ended; err == nil || err.Error() != "signal: killed" {
		t.Errorf("the survivor ended with %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "app-blog-1"), 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := tree.Make("blog", cgroup.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(g.Path()); got != "app-blog-2" {
		t.Errorf("beside app-blog-1, %s was made", got)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// takeOver is a server that is started in a group of its own.
func takeOver() error {
	tree := cgroup.Open()
	defer tree.Close()
	mine, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	if err := tree.None(); err != nil {
		return fmt.Errorf("%w, and it is in %s", err, mine[strings.LastIndex(string(mine), "0::")+3:])
	}
	if !strings.Contains(string(mine), "/server\n") {
		return fmt.Errorf("it is in %s", mine)
	}
	tree.Give(61236, 61236)
	if err := syscall.Setuid(61236); err != nil {
		return err
	}
	g, err := tree.Make("shop", cgroup.Limits{})
	if err != nil {
		return err
	}
	cmd := exec.Command("cat", "/proc/self/cgroup")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	g.Attach(cmd.SysProcAttr)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("start in the group: %w", err)
	}
	if !strings.Contains(string(out), "/app-shop-1\n") {
		return fmt.Errorf("the process is in %s", out)
	}
	return g.Close()
}

// A server takes over the group that it is alone in, also one that becomes another
// user afterwards; in that of others it changes nothing.
func TestOpen(t *testing.T) {
	before, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	tree := cgroup.Open()
	defer tree.Close()
	if err := tree.None(); err == nil {
		t.Error("the group of this test was taken over")
	} else if _, makes := tree.Make("shop", cgroup.Limits{}); makes == nil || !strings.Contains(makes.Error(), err.Error()) {
		t.Errorf("a group is made: %v, though %v", makes, err)
	}
	if after, err := os.ReadFile("/proc/self/cgroup"); err != nil || string(after) != string(before) {
		t.Errorf("it is in %s now, %v", after, err)
	}
	dir, kernels := cgrouptest.Folder(t)
	if !kernels {
		return // nobody can be alone in a folder
	}
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	server := func() (string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asServer+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(folder.Fd())}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	other, err := cgroup.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := server()
	if err == nil || !strings.Contains(out, "another server has") {
		t.Errorf("beside another server: %v: %s", err, out)
	}
	if !strings.Contains(out, "and it is in /"+filepath.Base(dir)+"\n") {
		t.Errorf("it has moved all the same: %s", out)
	}
	if info, err := os.Lstat(filepath.Join(dir, "server")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others can lock the tree: %v, %v", info.Mode(), err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if out, err := server(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCanBeBorn(t *testing.T) {
	if _, kernels := cgrouptest.Folder(t); kernels && !cgroup.CanBeBorn() {
		t.Error("groups can be made, and processes not be started in one")
	}
}
