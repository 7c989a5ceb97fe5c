package main

import (
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestFolder serves the folder without the program: its files, and its script.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "cgi-bin", "cgi-bin/post.py"} { // whatever the umask
		if err := os.Chmod(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := testserver.StartProgram(t, dir, testserver.Build(t, "../../cmd/gatehouse"), "--cgi", "--listen", "127.0.0.1:0", dir)
	site := p.Await(`(http://127\.0\.0\.1:\d+/)`)
	resp, body := send(t, http.MethodGet, site, nil)
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `action="cgi-bin/post.py"`) || !strings.Contains(body, `<img src="test.jpg"`) {
		t.Errorf("/: %s with %s", resp.Status, body)
	}
	resp, body = send(t, http.MethodGet, site+"test.jpg", nil)
	if picture, err := jpeg.Decode(strings.NewReader(body)); err != nil || picture.Bounds().Dx() != 320 {
		t.Errorf("/test.jpg: %s, %v", resp.Status, err)
	}
	for value, want := range map[string]string{
		"salt & pepper": `<p id="name">salt &amp; pepper</p>`, "<b>": `<p id="name">&lt;b&gt;</p>`, "墨水": `<p id="name">墨水</p>`,
		strings.Repeat("y", 100_000): `<p id="name">` + strings.Repeat("y", 100_000) + `</p>`,
	} {
		resp, body := send(t, http.MethodPost, site+"cgi-bin/post.py", url.Values{"name": {value}})
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%.20q: %s with %.500s", value, resp.Status, body)
		}
	}
	for path, status := range map[string]int{"cgi-bin/": 403, "cgi-bin/none.py": 404, "files/about.txt": 200} {
		if resp, _ := send(t, http.MethodGet, site+path, nil); resp.StatusCode != status {
			t.Errorf("/%s: %s, want %d", path, resp.Status, status)
		}
	}
	if resp, _ := send(t, http.MethodPost, site+"index.html", url.Values{}); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST to a file: %s", resp.Status)
	}
	p.Interrupt()
	p.Wait()
}
