package daemon_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// asFirst in the environment makes the test binary the first process of a
// container.
const asFirst = "DAEMON_TEST_FIRST"

// The first process of a container takes off the list what the application left
// behind, and never a child of its own.
func TestFirstProcessReapsOrphans(t *testing.T) {
	if os.Getenv(asFirst) != "" {
		beFirst(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestFirstProcessReapsOrphans$", "-test.v")
	cmd.Env = append(os.Environ(), asFirst+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 { // whoever is not root may be, in a world of its own
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func beFirst(t *testing.T) {
	if pid := os.Getpid(); pid != 1 {
		t.Fatalf("process %d, want the first", pid)
	}
	// Ours alone, so that /proc shows this container and nobody else's changes.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	// Each shell leaves two processes to us.
	for range 3 {
		if err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "sleep 0.01 & sleep 0.02 & exit 0").Run(); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "six orphans that have ended", func() bool { return daemon.DeadChildren() == 6 })

	ctx, cancel := context.WithCancel(t.Context())
	var reaper sync.WaitGroup
	reaper.Go(func() { daemon.ReapOrphans(ctx, 200*time.Millisecond) })
	// Children of our own end all the while, and how they ended is known.
	for range 50 {
		err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "exit 7").Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 {
			t.Fatalf("a child of our own ended with %v, want status 7", err)
		}
	}
	await(t, "nobody left", func() bool { return daemon.DeadChildren() == 0 })
	cancel()
	reaper.Wait()
}

// await polls for something that no channel tells.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
