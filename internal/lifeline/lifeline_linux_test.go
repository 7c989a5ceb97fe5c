package lifeline_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// start starts a group of two processes.
func start(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "trap '' TERM IO; sleep 1000 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// TestClose: the end of a lifeline is that of its group, and of no group before.
func TestClose(t *testing.T) {
	var all lifeline.Lifelines
	first, second := start(t), start(t)
	l, err := all.Get()
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		if err := l.Hold(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	all.Put(l)
	all.Close()
	if !lifeline.Await(second.Process.Pid) {
		t.Error("nobody has waited")
	}
	// It is not reaped, so the group is there still.
	if err := syscall.Kill(-second.Process.Pid, 0); err != nil {
		t.Errorf("the group: %v", err)
	}
	if err := second.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("the second ended with %v", err)
	}
	if err := syscall.Kill(first.Process.Pid, 0); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := syscall.Kill(-first.Process.Pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = first.Wait() // it was killed
}
