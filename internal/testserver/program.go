package testserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// Build builds the program of the package in dir and returns its path, which is
// good until the end of the test. Where the test looks for races, so does the
// program.
func Build(t testing.TB, dir string) string {
	t.Helper()
	if underRaceDetector() {
		return build(t, dir, nil, "-race")
	}
	return build(t, dir, nil)
}

// BuildProduct is Build for a program as it is given to people: without cgo, and
// so without a look for races.
func BuildProduct(t testing.TB, dir string) string {
	t.Helper()
	return build(t, dir, []string{"CGO_ENABLED=0"})
}

func build(t testing.TB, dir string, env []string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags, []string{dir})...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, out)
	}
	return path
}

func underRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Program is a server in a process of its own.
type Program struct {
	// Log holds what it printed, on either output.
	Log *Log

	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process was waited for
}

// StartProgram starts the program at path in dir, and kills it at the end of
// the test if it has not ended by then.
func StartProgram(t testing.TB, dir, path string, args ...string) *Program {
	t.Helper()
	p := &Program{Log: &Log{}, t: t, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Dir = dir
	// The race detector waits a second at the end of a process.
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "PYTHONDONTWRITEBYTECODE=1")
	p.cmd.Stdout, p.cmd.Stderr = p.Log, p.Log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // Program.Wait tells the status
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // ended already is as good
		<-p.ended
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.cmd, p.Log)
		}
	})
	return p
}

// Await waits until the program has printed something that matches, and returns
// the match of the pattern's first group, of which it has one.
func (p *Program) Await(pattern string) string {
	p.t.Helper()
	want := regexp.MustCompile(pattern)
	timeout, stop := patience()
	defer stop()
	for {
		text, changed := p.Log.look()
		if m := want.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		select {
		case <-changed:
		case <-p.ended:
			// What it printed last came before its end was noticed.
			if m := want.FindStringSubmatch(p.Log.String()); m != nil {
				return m[1]
			}
			p.t.Fatalf("%s ended without printing %s:\n%s", p.cmd, pattern, p.Log)
		case <-timeout:
			p.t.Fatalf("%s never printed %s:\n%s", p.cmd, pattern, p.Log)
		}
	}
}

// PID is the number of its process.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Interrupt sends what Ctrl-C does.
func (p *Program) Interrupt() {
	p.t.Helper()
	p.Signal(os.Interrupt)
}

// Signal sends it a signal.
func (p *Program) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// Wait waits for the end of the program and returns its exit status.
func (p *Program) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.t.Fatalf("%s does not end", p.cmd)
	}
	return p.cmd.ProcessState.ExitCode()
}
