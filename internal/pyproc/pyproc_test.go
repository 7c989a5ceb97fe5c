package pyproc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// asServer in the environment makes the test binary a server that starts
// processes, prints their numbers, and waits to be killed.
const asServer = "PYPROC_TEST_SERVER"

func TestMain(m *testing.M) {
	if service := os.Getenv(asServer); service != "" {
		beServer(service)
		return
	}
	code := m.Run()
	if code == 0 {
		code = checkLeaks()
	}
	os.Exit(code)
}

func checkLeaks() int {
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		stacks := string(buf[:runtime.Stack(buf, true)])
		own := strings.Count(stacks, "pyproc.(*Template)") + strings.Count(stacks, "pyproc.(*Child)")
		children := childrenOf(os.Getpid())
		if own == 0 && len(children) == 0 {
			return 0
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "leaked children %v, goroutines:\n%s\n", children, stacks)
			return 1
		}
	}
}

func childrenOf(pid int) []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // nothing if there are none
	return strings.Fields(string(text))
}

// services are what the tests' templates load.
var services = map[string]string{
	"sleeps": `
import os, time
def load(settings): return {"loaded": settings["word"]}
def serve(settings, number, files):
    os.write(files[0], b"%d %d\n" % (number, os.getpid()))
    time.sleep(600)
`,
	"ends": `
import os
def load(settings): return {}
def serve(settings, number, files):
    os.close(files[0])
    if number < 100: raise SystemExit(number)
    os.kill(os.getpid(), number - 100)
`,
	"loads_for_ever": `
import ctypes, os
def load(settings):
    os.write(1, b"%d\n" % os.getpid())
    libc, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
`,
	"starts_another_and_loads_for_ever": `
import os, subprocess, time
def load(settings):
    other = subprocess.Popen(["sleep", "600"])
    os.write(1, b"%d\n%d\n" % (os.getpid(), other.pid))
    time.sleep(600)
`,
	"starts_another_and_fails": `
import subprocess
def load(settings):
    raise RuntimeError(subprocess.Popen(["sleep", "600"]).pid)
`,
	"renamed": `
import time
def load(settings): open("/proc/self/comm", "w").write(") Z 1 1 ("); return {}
def serve(settings, number, files): time.sleep(600)
`,
	"names_another": `
import os
def load(settings): os.fork = lambda: int(settings["word"]); return {}
`,
	"stuck": `
import ctypes, os, signal, subprocess
def load(settings): return {}
def serve(settings, number, files):
    for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)
    other = subprocess.Popen(["sleep", "600"])
    os.write(files[0], b"%d\n%d\n" % (os.getpid(), other.pid))
    libc, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
`,
}

func command(t testing.TB, service string) pyproc.Command {
	return pyproc.Command{
		Python: "python3", Dir: t.TempDir(), Service: "service",
		Modules:  map[string]string{"service": services[service]},
		Settings: map[string]string{"word": "héllo"},
	}
}

// start starts a template that has loaded the service.
func start(t *testing.T, c pyproc.Command) (*pyproc.Template, pyproc.Loaded) {
	t.Helper()
	template, err := pyproc.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := template.Close(); err != nil {
			t.Error(err)
		}
	})
	loaded, err := template.Ready(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return template, loaded
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestForkGivesEachChildItsNumberAndFiles(t *testing.T) {
	template, loaded := start(t, command(t, "sleeps"))
	var info struct{ Loaded string }
	if err := json.Unmarshal(loaded.Info, &info); err != nil || info.Loaded != "héllo" || loaded.Threads != 1 {
		t.Errorf("loaded %s with %d threads, %v", loaded.Info, loaded.Threads, err)
	}
	for number := 1; number <= 3; number++ {
		r, w := pipe(t)
		child, err := template.Fork(number, w)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if want := fmt.Sprintf("%d %d\n", number, child.PID()); line != want || err != nil {
			t.Errorf("child says %q, %v; want %q", line, err, want)
		}
	}
}

func TestExit(t *testing.T) {
	tests := []struct {
		name   string
		number int
		want   string
	}{
		{"status 0", 0, "status 0"},
		{"status 3", 3, "status 3"},
		{"signal", 100 + int(syscall.SIGKILL), "signal 9 (killed)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			template, _ := start(t, command(t, "ends"))
			for _, start := range []func(int, ...*os.File) (*pyproc.Child, error){template.Fork, template.Become} {
				_, w := pipe(t)
				child, err := start(tt.number, w)
				if err != nil {
					t.Fatal(err)
				}
				<-child.Done()
				if got := child.Exit().String(); got != tt.want {
					t.Errorf("ended with %s, want %s", got, tt.want)
				}
				if err := child.Signal(syscall.SIGKILL); err == nil {
					t.Error("a child that has ended takes a signal")
				}
			}
		})
	}
}

func TestOrderToATemplateThatHasEnded(t *testing.T) {
	template, _ := start(t, command(t, "sleeps"))
	if err := syscall.Kill(template.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-template.Done()
	_, w := pipe(t)
	if _, err := template.Fork(1, w); !errors.Is(err, pyproc.ErrEnded) {
		t.Errorf("error %v, want ErrEnded", err)
	}
}

// A template that is stopped, or stuck, must not block for ever whoever gives it
// an order, nor hide that its children have ended.
func TestOrderToATemplateThatDoesNotAnswer(t *testing.T) {
	for _, order := range []string{"fork", "reap"} {
		t.Run(order, func(t *testing.T) {
			c := command(t, "sleeps")
			c.Patience = 500 * time.Millisecond
			template, _ := start(t, c)
			_, w := pipe(t)
			child, err := template.Fork(1, w)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(template.PID(), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			switch order {
			case "fork":
				if _, err := template.Fork(2, w); !errors.Is(err, pyproc.ErrEnded) || !strings.Contains(err.Error(), "did not answer") {
					t.Errorf("error %v, want ErrEnded and why", err)
				}
			case "reap":
				if err := child.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				<-child.Done()
				if got := child.Exit().String(); got != "unknown status" {
					t.Errorf("the child ended with %s", got)
				}
			}
			<-template.Done()
			if got := template.Exit().String(); got != "signal 9 (killed)" {
				t.Errorf("the template ended with %s", got)
			}
		})
	}
}

func TestTemplateThatNamesAnothersProcess(t *testing.T) {
	for name, pid := range others(t) {
		t.Run(name, func(t *testing.T) {
			c := command(t, "names_another")
			c.Settings["word"] = strconv.Itoa(pid)
			template, _ := start(t, c)
			_, w := pipe(t)
			if _, err := template.Fork(1, w); !errors.Is(err, pyproc.ErrForeign) || !errors.Is(err, pyproc.ErrEnded) {
				t.Errorf("error %v, want ErrForeign and ErrEnded", err)
			}
			<-template.Done()
			if pid > 1 && !alive(pid) {
				t.Error("it has been killed")
			}
		})
	}
}

// others are processes that are no template's children.
func others(t *testing.T) map[string]int {
	t.Helper()
	cmd := exec.Command("sh", "-c", "sleep 600 & echo $!; wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a group that is not reaped
		_ = cmd.Wait()                                      // it was killed
	})
	var grandchild int
	if _, err := fmt.Fscan(out, &grandchild); err != nil {
		t.Fatal(err)
	}
	return map[string]int{"the first": 1, "the server": os.Getpid(), "the server's child": cmd.Process.Pid, "another's child": grandchild}
}

// What a process is called is no part of what is told of it.
func TestNameOfChild(t *testing.T) {
	c := command(t, "renamed")
	template, _ := start(t, c)
	_, w := pipe(t)
	child, err := template.Fork(1, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	<-child.Done()
}

func TestReadyEndsWithItsContext(t *testing.T) {
	template, err := pyproc.Start(command(t, "loads_for_ever"))
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := template.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestNothingSurvivesAServiceThatFailsToLoad(t *testing.T) {
	for range 10 { // it depends on which one is faster
		template, err := pyproc.Start(command(t, "starts_another_and_fails"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = template.Ready(t.Context())
		var pid int
		if _, scan := fmt.Sscanf(fmt.Sprint(err), "RuntimeError: %d", &pid); scan != nil {
			t.Fatalf("error %v", err)
		}
		if err := template.Close(); err != nil {
			t.Error(err)
		}
		for closed := time.Now(); alive(pid); runtime.Gosched() {
			if time.Since(closed) > time.Second {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it has been seen to live
				t.Fatalf("process %d lives a second after the end", pid)
			}
		}
	}
}

func TestInterpreterThatIsTooOldOrNone(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "python")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 4\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := command(t, "sleeps")
	c.Python = script
	template, err := pyproc.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close()
	_, err = template.Ready(t.Context())
	if f, ok := errors.AsType[*pyproc.Failure](err); !ok || f.Exception != "the interpreter ended with status 4" {
		t.Errorf("error %v", err)
	}
	c.Python = filepath.Join(dir, "none")
	_, err = pyproc.Start(c)
	if f, ok := errors.AsType[*pyproc.Failure](err); !ok || f.Path != c.Python || f.Exception != "no such file or directory" {
		t.Errorf("error %v", err)
	}
}

// beServer starts processes and waits.
func beServer(service string) {
	check := func(err error) {
		if err != nil {
			fmt.Println("server:", err)
			os.Exit(1)
		}
	}
	dir, err := os.Getwd()
	check(err)
	template, err := pyproc.Start(pyproc.Command{
		Python: "python3", Dir: dir, Service: "service", Stdout: os.Stdout, Stderr: os.Stderr,
		Modules: map[string]string{"service": services[service]}, Settings: map[string]string{"word": ""},
	})
	check(err)
	_, err = template.Ready(context.Background())
	check(err)
	_, err = template.Fork(1, os.Stdout)
	check(err)
	fmt.Println(template.PID())
	select {}
}

func TestNothingSurvivesTheServer(t *testing.T) {
	tests := []struct {
		service   string
		processes int // whose numbers the server and its children print
		rounds    int // more where it depends on which one dies first
	}{
		{"sleeps", 2, 1},
		{"stuck", 3, 1},
		{"loads_for_ever", 1, 1},
		{"starts_another_and_loads_for_ever", 2, 10},
	}
	for _, tt := range tests {
		t.Run(tt.service, func(t *testing.T) {
			for range tt.rounds {
				killServer(t, tt.service, tt.processes)
			}
		})
	}
}

// killServer kills a server with that service, and fails if one of its processes
// survives.
func killServer(t *testing.T, service string, processes int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"="+service)
	cmd.Dir = t.TempDir()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	lines := bufio.NewScanner(out)
	for len(pids) < processes && lines.Scan() {
		fields := strings.Fields(lines.Text())
		pid, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			t.Fatalf("the server says %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	for _, pid := range pids {
		for alive(pid) {
			if time.Since(killed) > time.Second {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it has been seen to live
				t.Fatalf("process %d of %v lives a second after the server", pid, pids)
			}
			runtime.Gosched()
		}
	}
	_ = cmd.Wait() // it was killed
}

// alive reports whether a process runs; one that waits to be reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
