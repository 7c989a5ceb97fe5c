package webapps_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestProcessOfServerThatIsKilled: nothing that a process has started outlives the
// server.
func TestProcessOfServerThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), page("files"))
	c := testserver.StartChild(t, "server", "APPS="+dir, `COMMAND=trap '' TERM HUP IO; sh -c 'echo $$ >>"$GATEHOUSE_DATA/pids"; sleep 1000' & echo $$ >>"$GATEHOUSE_DATA/pids"; while :; do wait; done`)
	var server int
	if _, err := fmt.Sscan(c.Line(), &server); err != nil {
		t.Fatal(err)
	}
	all := lines(t, filepath.Join(dir, ".gatehouse/data/blog/pids"), 2)
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, pid := range all {
		gone(t, pid)
	}
}
