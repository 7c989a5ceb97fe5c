package pagescript_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// TestList looks at a folder with pages of all kinds.
func TestList(t *testing.T) {
	dir := folder(t, files{
		"wsgi.py": says("1"), "print.py": "print(1)\n", "sub/a b.py": "print(1)\n", "page.txt": "", "_module.py": "", ".hidden.py": "",
		"package/__init__.py": "", "package/x.py": "", "venv/pyvenv.cfg": "", "venv/bin/x.py": "", ".venv/x.py": "", "_private/x.py": "",
		"loose.py": "print(1)\n", "open/x.py": "print(1)\n",
	})
	must(t, os.Chmod(filepath.Join(dir, "loose.py"), 0o664))
	must(t, os.Chmod(filepath.Join(dir, "open"), 0o777))
	must(t, os.Symlink("wsgi.py", filepath.Join(dir, "link.py")))
	site := open(t, dir, pagescript.Config{})
	all, err := site.List()
	must(t, err)
	var got []string
	for _, page := range all {
		got = append(got, fmt.Sprint(page.Path, " ", page.Application, " ", page.Refused != nil))
	}
	want := []string{"/link.py false true", "/loose.py false true", "/open/x.py false true", "/print.py false false", "/sub/a%20b.py false false", "/wsgi.py true false"}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	must(t, os.RemoveAll(dir))
	if _, err := site.List(); err == nil {
		t.Error("a folder that has gone is listed")
	}
}
