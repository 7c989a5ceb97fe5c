package gatehouse_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// One server serves several listeners of several kinds, and Close ends them all.
func TestSeveralListeners(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, hello)
		var others []net.Listener
		served := make(chan error, 3)
		for _, l := range [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "other")}} {
			ln, err := net.Listen(l[0], l[1])
			if err != nil {
				t.Fatal(err)
			}
			others = append(others, ln)
			go func() { served <- s.Serve(ln) }()
		}
		for _, ln := range others {
			conn, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if got := testserver.NewClient(t, conn).Open("/").Text(); got != "hello" {
				t.Errorf("%v: %q", ln.Addr(), got)
			}
		}
		if got := s.Get("/").Text(); got != "hello" {
			t.Errorf("got %q", got)
		}
		s.Close()
		for range others {
			if err := testserver.Receive(t, "Serve to return", served); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("Serve: %v", err)
			}
		}
	})
}

// Two servers in one process share nothing.
func TestTwoServers(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		first := testserver.Start(t, m, answer(0, nil, "first"))
		second := testserver.Start(t, m, answer(0, nil, "second"))
		c := second.Dial()
		if got := first.Get("/").Text() + c.Open("/").Text(); got != "firstsecond" {
			t.Errorf("got %q", got)
		}
		first.Close()
		if got := c.Open("/").Text() + second.Get("/").Text(); got != "secondsecond" {
			t.Errorf("got %q", got)
		}
	})
}

// failingListener fails with the errors, one for each Accept, before it works.
type failingListener struct {
	net.Listener
	mu     sync.Mutex
	errors []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	if len(l.errors) > 0 {
		err := l.errors[0]
		l.errors = l.errors[1:]
		l.mu.Unlock()
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	l.mu.Unlock()
	return l.Listener.Accept()
}

// Errors of the moment do not end Serve; it waits a little and goes on.
func TestAcceptErrors(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
		t.Run(err.Error(), func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				ln, lerr := net.Listen("tcp", "127.0.0.1:0")
				if lerr != nil {
					t.Fatal(lerr)
				}
				s := testserver.StartConfig(t, m, testserver.Config{
					Handler:  http.HandlerFunc(hello),
					Listener: &failingListener{Listener: ln, errors: []error{err, err, err}},
				})
				if got := s.Get("/").Text(); got != "hello" {
					t.Errorf("got %q", got)
				}
				s.Log.Wait(t, err.Error())
			}, testserver.H1, testserver.NetHTTP)
		})
	}
}

// An error that stays is what Serve returns.
func TestAcceptFailsForGood(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken for good")
	s := &gatehouse.Server{Handler: http.HandlerFunc(hello)}
	if err := s.Serve(&failingListener{Listener: ln, errors: []error{broken}}); !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("listener left open")
	}
}

func TestListen(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", ":0", "unix:" + filepath.Join(t.TempDir(), "s")} {
		for _, backlog := range []int{0, 1, 16} {
			t.Run(fmt.Sprint(addr, " ", backlog), func(t *testing.T) {
				ln, err := gatehouse.Listen(addr, backlog)
				if err != nil {
					t.Fatal(err)
				}
				s := testserver.StartConfig(t, testserver.H1, testserver.Config{Handler: http.HandlerFunc(hello), Listener: ln})
				for range 5 {
					if got := s.Get("/").Text(); got != "hello" {
						t.Errorf("got %q", got)
					}
				}
			})
		}
	}
}

// A full queue refuses or ignores further clients; the system's own rounding
// lets a few more in than were asked for.
func TestListenBacklog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := gatehouse.Listen("unix:"+path, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	waiting := 0
	for range 20 {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		if syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}) == nil {
			waiting++
		}
	}
	if waiting < 3 || waiting > 5 {
		t.Errorf("%d clients wait in a queue of 3", waiting)
	}
}

func TestListenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := gatehouse.Listen("127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	live, err := gatehouse.Listen("unix:"+filepath.Join(dir, "live"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	for _, tt := range []struct{ name, addr string }{
		{"port in use", taken.Addr().String()},
		{"socket in use", "unix:" + filepath.Join(dir, "live")},
		{"file in the way", "unix:" + file},
		{"no such folder", "unix:" + filepath.Join(dir, "none", "s")},
		{"no path", "unix:"},
		{"no port", "127.0.0.1"},
		{"port out of range", "127.0.0.1:70000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if ln, err := gatehouse.Listen(tt.addr, 0); err == nil {
				ln.Close()
				t.Error("no error")
			}
		})
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "precious" {
		t.Errorf("the file in the way became %q, %v", content, err)
	}
}

// A socket whose server is gone is replaced, and has the mode that lets the
// group in and nobody else.
func TestListenReplacesStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	ln, err := gatehouse.Listen("unix:"+path, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	ln.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket left behind: %v", err)
	}
}
