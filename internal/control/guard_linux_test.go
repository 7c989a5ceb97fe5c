package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
)

func TestAllowed(t *testing.T) {
	for uid, want := range map[int]bool{0: true, os.Geteuid(): true, os.Geteuid() + 1: false, 65534: os.Geteuid() == 65534} {
		if got := control.Allowed(uid); got != want {
			t.Errorf("user %d may connect: %v, want %v", uid, got, want)
		}
	}
}

// guardedServer answers "welcome" behind a guard.
func guardedServer(t *testing.T, allowed func(int) bool) (path string, book *logbook.Book) {
	t.Helper()
	path, book = socket(t), logbook.New()
	l, err := unixsocket.Listen(path, control.Mode)
	if err != nil {
		t.Fatal(err)
	}
	testserver.StartConfig(t, testserver.H1Unix, testserver.Config{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"version":"welcome"}`)) }),
		Listener: control.GuardFor(l, slog.New(book.Handler(slog.NewTextHandler(io.Discard, nil))), allowed),
	})
	return path, book
}

// refusedUser tests that the log tells of a user who was refused.
func refusedUser(t *testing.T, book *logbook.Book, uid int) {
	t.Helper()
	records, _, _, _ := book.After(logbook.All, 0, 1)
	if len(records) != 1 || len(records[0].Attrs) != 1 || records[0].Attrs[0].Value != strconv.Itoa(uid) {
		t.Errorf("the log says %+v, want that user %d was refused", records, uid)
	}
}

func TestGuard(t *testing.T) {
	path, book := guardedServer(t, func(int) bool { return false })
	c := control.Dial(path)
	defer c.Close()
	if err := c.Get(context.Background(), "status", nil, new(control.Server)); !errors.Is(err, control.ErrEnded) {
		t.Errorf("who may not connect gets %v", err)
	}
	refusedUser(t, book, os.Geteuid())
}

// TestAnotherUser connects as somebody else, whom the socket's mode would not
// keep out.
func TestAnotherUser(t *testing.T) {
	path, book := guardedServer(t, control.Allowed)
	const nobody = 65534
	if os.Geteuid() != 0 {
		return // nobody else can be: TestGuard has said no to ourselves
	}
	for p := path; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	answers := make(chan string, 1)
	go func() {
		// The thread alone becomes somebody else, and ends with the goroutine.
		runtime.LockOSThread()
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			answers <- errno.Error()
			return
		}
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			answers <- err.Error()
			return
		}
		f := os.NewFile(uintptr(fd), "socket")
		defer f.Close()
		if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
			answers <- err.Error()
			return
		}
		b := make([]byte, 4096)
		n, err := syscall.Read(fd, b)
		answers <- fmt.Sprintf("%q, %v", b[:n], err)
	}()
	got := testserver.Receive(t, "the answer", answers)
	if got != `"", <nil>` {
		t.Errorf("somebody else is answered %s, want nothing", got)
	}
	refusedUser(t, book, nobody)
	// We are still welcome.
	c := control.Dial(path)
	defer c.Close()
	var s control.Server
	if err := c.Get(t.Context(), "status", nil, &s); err != nil || s.Version != "welcome" {
		t.Errorf("we are answered %+v, %v", s, err)
	}
}
