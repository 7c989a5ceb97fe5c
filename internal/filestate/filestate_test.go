package filestate_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

func look(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestSame(t *testing.T) {
	when := time.Now().Add(-time.Hour)
	changes := map[string]func(path string) error{
		"": func(string) error { return nil },
		"size": func(path string) error {
			if err := os.WriteFile(path, []byte("longer"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, when, when)
		},
		"time": func(path string) error { return os.Chtimes(path, when, when.Add(time.Second)) },
		"mode": func(path string) error { return os.Chmod(path, 0o644) },
		"file": func(path string) error {
			other := path + ".new"
			if err := os.WriteFile(other, []byte("text"), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(other, when, when); err != nil {
				return err
			}
			return os.Rename(other, path)
		},
	}
	for name, change := range changes {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		before := look(t, path)
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if same := filestate.Same(before, look(t, path)); same != (name == "") {
			t.Errorf("changed %q: same = %t", name, same)
		}
	}
}

func TestOthersMayChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o755: false, 0o664: true, 0o646: true, 0o620: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := filestate.OthersMayChange(look(t, path)); got != want {
			t.Errorf("mode %04o: %t", mode, got)
		}
	}
}
