package asuser_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// somebody is a user that nobody is.
var somebody = &asuser.User{UID: 54321, GID: 54322, Groups: []uint32{54323}}

// threads is how many threads of the process have a line in their status.
func threads(t *testing.T, line string) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), line) { // it may have ended
			n++
		}
	}
	return n
}

// effective is the line of a thread that has become somebody.
func effective() string {
	return fmt.Sprintf("Uid:\t%d\t%d\t%d\t%d\n", os.Getuid(), somebody.UID, os.Getuid(), somebody.UID)
}

func TestDo(t *testing.T) {
	if os.Geteuid() != 0 {
		if err := somebody.Do(func() error { t.Error("called"); return nil }); !errors.Is(err, syscall.EPERM) {
			t.Errorf("error %v", err)
		}
		return
	}
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	read := func() error { _, err := os.ReadFile(secret); return err }
	if err := somebody.Do(read); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file of root's: %v", err)
	}
	// By the supplementary group, and by nothing of the server's own groups.
	if err := os.Chown(secret, 0, int(somebody.Groups[0])); err != nil {
		t.Fatal(err)
	}
	if err := somebody.Do(read); err != nil {
		t.Errorf("a file of the group: %v", err)
	}
	other := asuser.User{UID: somebody.UID, GID: somebody.GID}
	if err := other.Do(read); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file of a group that he is not in: %v", err)
	}
	// No capability is left with which he could do more.
	if err := somebody.Do(func() error { return os.Chown(secret, int(somebody.UID), -1) }); !errors.Is(err, os.ErrPermission) {
		t.Errorf("chown: %v", err)
	}
	// Nor may he harm the thread that works for him: to whom it belongs has not
	// changed.
	err := somebody.Do(func() error {
		kill := exec.Command("/bin/sh", "-c", fmt.Sprintf("kill -0 %d", syscall.Gettid()))
		kill.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: somebody.UID, Gid: somebody.GID}}
		var out []byte
		var err error
		done := make(chan struct{})
		go func() { // whose thread may start a program as him
			defer close(done)
			out, err = kill.CombinedOutput()
		}()
		<-done
		if err == nil {
			return errors.New("he may send it a signal")
		}
		if !bytes.Contains(out, []byte("not permitted")) {
			return fmt.Errorf("kill says %s", out)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := (&asuser.User{UID: 0, GID: 1}).Do(read); !errors.Is(err, asuser.ErrRoot) {
		t.Errorf("as root: %v", err)
	}
	if err := (*asuser.User)(nil).Do(read); err != nil {
		t.Errorf("as it is: %v", err)
	}
}

// No other thread ever has the rights, though the runtime makes many while one
// has, from that one too; and none is left with them.
func TestNoOtherThread(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	err := somebody.Do(func() error {
		var in, held sync.WaitGroup
		stop := make(chan struct{})
		for range 50 {
			in.Add(1)
			held.Go(func() {
				runtime.LockOSThread()
				in.Done()
				<-stop
				runtime.UnlockOSThread()
			})
		}
		in.Wait()
		defer held.Wait()
		defer close(stop)
		if n := threads(t, effective()); n != 1 {
			return fmt.Errorf("%d threads are somebody, want 1", n)
		}
		if n := threads(t, "Threads:"); n < 50 {
			return fmt.Errorf("there are only %d threads", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// Many at once, each in turn giving its place to others.
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				if err := somebody.Do(func() error { runtime.Gosched(); return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	testserver.Eventually(t, "that nobody is somebody any more", func() bool { return threads(t, effective()) == 0 })
}

func TestPanicIsTheCallers(t *testing.T) {
	u := somebody
	if os.Geteuid() != 0 {
		u = nil
	}
	defer func() {
		if got := recover(); got != "reason" {
			t.Errorf("recovered %v", got)
		}
	}()
	_ = u.Do(func() error { panic("reason") })
	t.Error("it went on")
}

func BenchmarkDo(b *testing.B) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	for b.Loop() {
		if err := somebody.Do(func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
