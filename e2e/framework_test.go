package e2e_test

import (
	"path/filepath"
	"testing"
)

// TestFramework follows the links of the example's first page.
func TestFramework(t *testing.T) {
	dir := filepath.Join(root(t), "examples", "framework")
	url := serve(t, dir, []string{"PYTHONDONTWRITEBYTECODE=1"}, "run", "--listen", "127.0.0.1:0")
	b := browse(t, phone())
	b.open(url)
	b.look("framework")
	b.follow("a[href^='hello']")
	if got := b.text("h1"); got != "Hello, Ada!" {
		t.Errorf("the heading is %q", got)
	}
	b.open(url)
	b.follow("a[href='static/']")
	readGBK(t, b)
}

// TestGBK reads the same pages where they are served without an application.
func TestGBK(t *testing.T) {
	url := serve(t, filepath.Join(root(t), "examples", "framework", "html"), nil, "--listen", "127.0.0.1:0")
	b := browse(t, phone())
	b.open(url)
	readGBK(t, b)
}

// readGBK compares what a browser makes of the pages that are written in GBK,
// from the first of them on, with what they say.
func readGBK(t *testing.T, b *browser) {
	t.Helper()
	for _, page := range []struct{ name, heading, text string }{
		{"http-equiv", "旧网页", "这个网页用 GBK 写成，字节原样送达。"},
		{"charset", "另一种写法", "編碼寫在網頁裏，瀏覽器自己會讀。"},
	} {
		if heading, text := b.text("h1"), b.text("#text"); heading != page.heading || text != page.text {
			t.Errorf("the page reads %q, %q; want %q, %q", heading, text, page.heading, page.text)
		}
		if got := eval[string](b, "document.characterSet"); got != "GBK" {
			t.Errorf("the browser takes the page for %s", got)
		}
		b.look("gbk-" + page.name)
		if eval[bool](b, "document.querySelector('a') != null") {
			b.follow("a")
		}
	}
}
