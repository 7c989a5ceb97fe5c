package nofollow_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree is a root that holds one of each kind.
func tree(t *testing.T) *os.Root {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "folder", "inner"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "folder", "inner", "file"), []byte("deep"), 0o644))
	must(t, os.Symlink("file", filepath.Join(dir, "link")))
	must(t, os.Symlink("folder", filepath.Join(dir, "dirlink")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	top, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { _ = top.Close() })
	return top
}

func TestFileBelow(t *testing.T) {
	top := tree(t)
	tests := []struct {
		name string
		size int64 // -1: missing
	}{
		{"file", 4},
		{"folder/inner/file", 4},
		{"none", -1},
		{"folder", -1},
		{"link", -1},
		{"fifo", -1}, // would block if it were opened
		{"dirlink/inner/file", -1},
		{"file/x", -1},
		{"../file", -1},
	}
	for _, tt := range tests {
		f, info, err := nofollow.FileBelow(top, tt.name)
		switch {
		case tt.size < 0 && !nofollow.Missing(err):
			t.Errorf("%s: error %v", tt.name, err)
		case tt.size >= 0 && (err != nil || info.Size() != tt.size):
			t.Errorf("%s: %v, %v", tt.name, info, err)
		}
		if f != nil {
			f.Close()
		}
	}
}

func TestFolder(t *testing.T) {
	top := tree(t)
	child, info, err := nofollow.Folder(top, "folder")
	must(t, err)
	defer child.Close()
	if !info.IsDir() {
		t.Errorf("info %v", info)
	}
	for _, name := range []string{"file", "dirlink", "fifo"} {
		if _, _, err := nofollow.Folder(top, name); !errors.Is(err, nofollow.ErrNotServed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestMissing(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"not there", fs.ErrNotExist, true},
		{"may not be read", &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, true},
		{"operation refused", &fs.PathError{Op: "open", Path: "x", Err: syscall.EPERM}, true},
		{"file on the way", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOTDIR}, true},
		{"name too long", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENAMETOOLONG}, true},
		{"socket", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENXIO}, true},
		{"leads out", &fs.PathError{Op: "open", Path: "x", Err: errors.New("path escapes from parent")}, true},
		{"no descriptors", &fs.PathError{Op: "open", Path: "x", Err: syscall.EMFILE}, false},
		{"broken disk", &fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}, false},
		{"stale file handle", &fs.PathError{Op: "open", Path: "x", Err: syscall.ESTALE}, false},
		{"closed", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrClosed}, false},
		{"anything else", errors.New("what"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := nofollow.Missing(fmt.Errorf("around: %w", tt.err)); got != tt.want {
				t.Errorf("Missing(%v) = %t, want %t", tt.err, got, tt.want)
			}
		})
	}
}
