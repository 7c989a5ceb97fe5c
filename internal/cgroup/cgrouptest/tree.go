package cgrouptest

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/cgroup"
)

// Tree makes a tree of groups in a folder of Folder or Played, and closes it at the
// end of the test.
func Tree(t testing.TB, dir string) *cgroup.Tree {
	t.Helper()
	tree, err := cgroup.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	})
	return tree
}
