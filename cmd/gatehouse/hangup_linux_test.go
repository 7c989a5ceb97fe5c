package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"unsafe"
)

// A terminal that goes away ends the server, unless nohup has started it; a SIGHUP
// that somebody sends while it is there does not.
func TestHangup(t *testing.T) {
	// The server gets from us what is done with the signal, and we may have been
	// started by nohup ourselves.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	s, terminal := startOnTerminal(t)
	signal.Stop(heard)
	s.reloadByHand(t)
	terminal.Close()
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("after the hang-up: exit status %d, %v; want 0", status, err)
	}

	signal.Ignore(syscall.SIGHUP)
	s, terminal = startOnTerminal(t)
	signal.Reset(syscall.SIGHUP)
	s.reloadByHand(t)
	terminal.Close()
	if text, err := s.await(regexp.MustCompile(`(?s)reloaded.*reloaded`), s.errOut); err != nil {
		t.Errorf("after the hang-up, with nohup: %v; it wrote:\n%s", err, text)
	}
}

// startOnTerminal starts a server that has a terminal, whose other side is
// returned.
func startOnTerminal(t *testing.T) (s *server, terminal *os.File) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("a page\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	master, slave := openTerminal(t)
	s = newServer(dir, os.Environ(), []string{"--listen", "127.0.0.1:0"})
	s.cmd.Stdin = slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	slave.Close()
	if text, err := s.await(regexp.MustCompile(`serving`), s.errOut); err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	return s, master
}

// reloadByHand sends SIGHUP, and waits for what that leads to.
func (s *server) reloadByHand(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if text, err := s.await(regexp.MustCompile(`reloaded`), s.errOut); err != nil {
		t.Fatalf("after kill -HUP: %v; it wrote:\n%s", err, text)
	}
}

// openTerminal makes a pseudo-terminal.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	var number uint32
	var unlock int32
	onTerminal(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	onTerminal(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	slave, err = os.OpenFile("/dev/pts/"+strconv.FormatUint(uint64(number), 10), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func onTerminal(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		t.Fatalf("ioctl %#x: %v", request, errno)
	}
}
