package unlinked_test

import (
	"os"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/unlinked"
)

// A file holds what is written, and its folder stays empty.
func TestFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	f, err := unlinked.File(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	var b [4]byte
	if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:]) != "kept" {
		t.Errorf("read %q, %v", b, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("the folder holds %v, %v", names, err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestMemoryHasItsRoom(t *testing.T) {
	f, err := unlinked.Memory(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() != 4096 {
		t.Errorf("size %d, %v", info.Size(), err)
	}
}

func TestFileInNoFolder(t *testing.T) {
	if _, err := unlinked.File(t.TempDir() + "/none"); !os.IsNotExist(err) {
		t.Errorf("error %v", err)
	}
}
