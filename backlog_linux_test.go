package gatehouse_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
)

// TestBacklog counts, on a Unix-domain socket, where a client that finds the
// queue full is refused at once: a queue of n holds n+1 connections that nobody
// has accepted.
func TestBacklog(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := gatehouse.Listen("unix:"+path, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 3 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatalf("connection %d of 3: %v", i+1, err)
		}
		defer c.Close()
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		t.Error("a fourth client waits in a queue of 2")
	}
}

// TestBacklogDefault holds the default against the system's maximum.
func TestBacklogDefault(t *testing.T) {
	f, err := os.Open("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	var most int
	if _, scan := fmt.Sscan(strings.TrimSpace(line), &most); err != nil || scan != nil {
		t.Fatal(err, scan)
	}
	path := t.TempDir() + "/s"
	l, err := gatehouse.Listen("unix:"+path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range min(most, 200) {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatalf("connection %d of %d: %v", i+1, most, err)
		}
		defer c.Close()
	}
}
