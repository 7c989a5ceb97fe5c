package control_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/control"
)

// TestUploadFolder packs a folder and unpacks it as a server does.
func TestUploadFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blog")
	for _, name := range []string{"app.py", "pages/index.html", "pages/__pycache__/x.pyc", ".git/config", ".venv/pyvenv.cfg", ".venv/bin/python", "node_modules/x.js", ".gatehouse/key"} {
		write(t, filepath.Join(dir, name), name)
	}
	write(t, filepath.Join(dir, "run.sh"), "#!/bin/sh")
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("app.py", filepath.Join(dir, "link.py")); err != nil {
		t.Fatal(err)
	}
	u, err := control.OpenUpload(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if u.Name.Path() != "/blog" || u.Ending != ".tar.gz" || u.Size != int64(len("app.py")+len("pages/index.html")+len("#!/bin/sh")) {
		t.Errorf("%v, %s, %d bytes", u.Name, u.Ending, u.Size)
	}
	var taken int64
	u.Taken = func(n int64) { taken = n }
	file, to := filepath.Join(t.TempDir(), "x.tar.gz"), filepath.Join(t.TempDir(), "x")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, u); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if taken != u.Size {
		t.Errorf("%d of %d bytes were told", taken, u.Size)
	}
	if err := archive.Unpack(t.Context(), file, to, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(path, to+"/"))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"app.py", "link.py", "pages/index.html", "run.sh"}; !slices.Equal(names, want) {
		t.Errorf("unpacked are %q, want %q", names, want)
	}
	if info, err := os.Stat(filepath.Join(to, "run.sh")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("run.sh cannot be executed: %v", err)
	}
}

// TestUploadLeft closes a folder before it is packed.
func TestUploadLeft(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.py"), strings.Repeat("x", 1<<20))
	u, err := control.OpenUpload(dir, "/x")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
}

func TestUploadNames(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		file, named string
		name        string // "" if it is refused
		ending      string
	}{
		{"shop.zip", "", "/shop", ".zip"},
		{"shop##2.tar.gz", "", "/shop##2", ".tar.gz"},
		{"a#b.tgz", "", "/a/b", ".tgz"},
		{"ROOT.pyz", "", "/", ".pyz"},
		{"shop-2.0-py3-none-any.whl", "", "/shop", ".whl"},
		{"shop-2.zip", "/shop", "/shop", ".zip"},
		{"shop-2.zip", "/shop##2", "/shop##2", ".zip"},
		{"two words.zip", "", "", ""},
		{"two words.zip", "/words", "/words", ".zip"},
		{"readme.txt", "", "", ""},
		{"shop.zip", "/a b", "", ""},
	} {
		path := filepath.Join(dir, tt.file)
		write(t, path, "of an archive")
		u, err := control.OpenUpload(path, tt.named)
		if tt.name == "" {
			refused(t, err, control.Usage)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		text, err := io.ReadAll(u)
		if err != nil || string(text) != "of an archive" || u.Close() != nil {
			t.Errorf("%s: %q, %v", tt.file, text, err)
		}
		if u.Name.String() != tt.name || u.Ending != tt.ending || u.Size != int64(len(text)) {
			t.Errorf("%s: %v, %s, %d bytes; want %s, %s", tt.file, u.Name, u.Ending, u.Size, tt.name, tt.ending)
		}
	}
	if _, err := control.OpenUpload(filepath.Join(dir, "nothing"), ""); err == nil || !strings.HasSuffix(err.Error(), "no such file or directory") {
		t.Errorf("what is not there: %v", err)
	}
}
