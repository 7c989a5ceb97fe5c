package daemon_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestInstalled(t *testing.T) {
	const packages = "lib/python3.12/site-packages/"
	for _, tt := range []struct{ name, file, app, want string }{
		{"package", packages + "shop/__init__.py", "shop.wsgi:app", "yes"},
		{"module", packages + "shop.py", "shop:app", "yes"},
		{"extension module", packages + "shop.cpython-312-x86_64-linux-gnu.so", "shop:app", "yes"},
		{"of PyPy", "lib/pypy3.10/site-packages/shop.py", "shop", "yes"},
		{"other", packages + "shopping.py", "shop:app", "no"},
		{"perhaps in another folder", packages + "editable.pth", "shop:app", "unknown"},
		{"no folder of packages", "bin/python", "shop:app", "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := daemon.Installed(folderWith(t, tt.file, ""), tt.app); got != tt.want {
				t.Errorf("installed = %s, want %s", got, tt.want)
			}
		})
	}
	odd := filepath.Join(t.TempDir(), "[a]*")
	if err := os.Rename(folderWith(t, packages+"shop.py", ""), odd); err != nil {
		t.Fatal(err)
	}
	if got := daemon.Installed(odd, "shop:app"); got != "yes" {
		t.Errorf("in a folder of an odd name: %s, want yes", got)
	}
	if got := daemon.Installed("", "shop:app"); got != "unknown" {
		t.Errorf("without a virtual environment: %s, want unknown", got)
	}
}

// Root trusts what nobody else can have written.
func TestOwnedByRoot(t *testing.T) {
	dir := t.TempDir()
	root := os.Geteuid() == 0
	for _, tt := range []struct {
		name string
		mode os.FileMode
		uid  int
		want bool
	}{
		{"private", 0o600, 0, root},
		{"to be read", 0o644, 0, root},
		{"to be written by the group", 0o664, 0, false},
		{"to be written by all", 0o666, 0, false},
		{"of somebody", 0o600, 65534, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(dir, tt.name)
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			if root {
				if err := os.Chown(file, tt.uid, -1); err != nil {
					t.Fatal(err)
				}
			}
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := daemon.OwnedByRoot(info); got != tt.want {
				t.Errorf("ownedByRoot = %v, want %v", got, tt.want)
			}
		})
	}
}
