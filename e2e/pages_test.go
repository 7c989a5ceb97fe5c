package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// owned is a copy of an example, which nobody but its owner may write to: what a
// checkout looks like depends on the umask.
func owned(t *testing.T, example string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root(t), "examples", example))); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && !strings.HasSuffix(path, ".py") {
			return err
		}
		return os.Chmod(path, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPages reads the first page, which is written in GBK, and goes on to those
// that Python makes.
func TestPages(t *testing.T) {
	url := serve(t, owned(t, "pages"), nil, "--pages", "--pages-args", "query", "--html", "html", "--listen", "127.0.0.1:0")
	b := browse(t, phone())
	b.open(url)
	if heading, text := b.text("h1"), b.text("#text"); heading != "网页与模块" || text != "这个网页在 html 里，用 GBK 写成；模块在它旁边。" {
		t.Errorf("the page reads %q, %q", heading, text)
	}
	if got := eval[string](b, "document.characterSet"); got != "GBK" {
		t.Errorf("the browser takes the page for %s", got)
	}
	b.until("document.images[0].complete && document.images[0].naturalWidth > 0")
	b.look("pages")

	b.fill("input[name=a]", "4") // beside the 1 that is there
	b.follow("button")
	if got := b.text("h1"); got != "41 + 2 = 43" && got != "14 + 2 = 16" {
		t.Errorf("the sum is %q", got)
	}
	b.look("pages-calc")

	b.open(url)
	b.follow("#time")
	if got := b.text("#path"); got != "/mytime.py" {
		t.Errorf("the application was asked for %q", got)
	}
	if got := b.text("h1"); !strings.HasPrefix(got, "It is ") {
		t.Errorf("the application says %q", got)
	}
	b.look("pages-time")

	b.open(url + "nothing.py")
	if got := b.text("h1"); got != "没有这个网页" {
		t.Errorf("the page for 404 reads %q", got)
	}
	b.failed()
	b.look("pages-404")
}

// TestFormFolder sends the form of the same example without its program.
func TestFormFolder(t *testing.T) {
	url := serve(t, owned(t, "form"), nil, "--cgi", "--listen", "127.0.0.1:0")
	name := "Ada <b>Lovelace</b> & 墨水 " + strings.Repeat("x", 1200)
	b := browse(t, phone())
	b.open(url)
	b.until("document.images[0].complete && document.images[0].naturalWidth > 0")
	b.fill("input", name)
	b.follow("#script")
	if got := eval[string](b, "location.pathname"); got != "/cgi-bin/post.py" {
		t.Errorf("the form went to %s", got)
	}
	if got := b.text("#name"); got != name {
		t.Errorf("the script shows %q", got)
	}
	b.look("form-folder")
	b.follow("a")
	if got := b.text("h1"); got != "A form" {
		t.Errorf("the way back leads to %q", got)
	}
}
