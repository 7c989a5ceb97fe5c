package testserver

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The census sees what is left behind, and nothing once it is gone.
func TestCensus(t *testing.T) {
	before := takeCensus()
	running, stop := make(chan struct{}), make(chan struct{})
	go leftBehind(running, stop)
	<-running // before, its stack does not name it
	f, err := os.Create(filepath.Join(t.TempDir(), "left"))
	if err != nil {
		t.Fatal(err)
	}
	kept := before.difference()
	if !strings.Contains(kept, "leftBehind") {
		t.Errorf("goroutine not seen in %q", kept)
	}
	if runtime.GOOS == "linux" && !strings.Contains(kept, f.Name()) {
		t.Errorf("descriptor not seen in %q", kept)
	}
	close(stop)
	f.Close()
	if left := before.leaks(); left != "" {
		t.Errorf("left: %s", left)
	}
}

func leftBehind(running chan<- struct{}, stop <-chan struct{}) {
	close(running)
	<-stop
}

// A child runs the program it is told and ends with its input.
func TestChild(t *testing.T) {
	before := takeCensus()
	c := StartChild(t, "greeter", "GREETING=hello")
	if got := c.Line(); got != "hello" {
		t.Errorf("child says %q", got)
	}
	if runtime.GOOS == "linux" && before.difference() == "" {
		t.Error("child not seen")
	}
	c.Stop()
	if left := before.leaks(); left != "" {
		t.Errorf("left: %s", left)
	}
}
