package main

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// start runs the program over the site in dir and returns its address.
func start(t *testing.T, dir string) string {
	t.Helper()
	p := testserver.StartProgram(t, ".", testserver.Build(t, "."), "-listen", "127.0.0.1:0", "-dir", dir)
	return p.Await(`serving (http://\S+/)\n`)
}

// send sends a request, the form if there is one, and reads the answer.
func send(t *testing.T, method, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	r := testserver.NewRequest(t, method, address, form.Encode())
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return testserver.Do(t, r)
}

// TestPicture is where the page says that it is.
func TestPicture(t *testing.T) {
	site := start(t, ".")
	for _, path := range []string{"", "index.html", "any/other"} {
		resp, body := send(t, http.MethodGet, site+path, nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, `<img src="/test.jpg"`) {
			t.Errorf("/%s: %s with %s", path, resp.Status, body)
		}
	}
	resp, body := send(t, http.MethodGet, site+"test.jpg", nil)
	picture, err := jpeg.Decode(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	if size := picture.Bounds().Size(); size.X != 320 || size.Y != 120 {
		t.Errorf("the picture has %v pixels", size)
	}
}

// TestForm sends the form to the page and to the script.
func TestForm(t *testing.T) {
	site := start(t, ".")
	for _, to := range []string{"", "cgi-bin/post.py"} {
		for _, test := range []struct {
			name, value string
			status      int
			want        string // in the page
		}{
			{"a word", "Ada", 200, `<p id="name">Ada</p>`},
			{"a & in it", "salt & pepper", 200, `<p id="name">salt &amp; pepper</p>`},
			{"markup", "<script>alert(1)</script>", 200, `<p id="name">&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
			{"another script than ours", "墨水 ü", 200, `<p id="name">墨水 ü</p>`},
			{"long", strings.Repeat("y", 100_000), 200, `<p id="name">` + strings.Repeat("y", 100_000) + `</p>`},
			{"longest", strings.Repeat("y", maxForm-len("name=")), 200, `y</p>`},
			{"too long", strings.Repeat("y", maxForm-len("name=")+1), 413, ""},
		} {
			resp, body := send(t, http.MethodPost, site+to, url.Values{"name": {test.value}})
			if resp.StatusCode != test.status || !strings.Contains(body, test.want) {
				t.Errorf("/%s, %s: %s with %.500s", to, test.name, resp.Status, body)
			}
		}
	}
	if resp, _ := send(t, http.MethodGet, site+"cgi-bin/post.py", nil); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("the script answers GET with %s", resp.Status)
	}
}

// TestFiles serves a folder, and a file that changes.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	site := start(t, dir)
	about := filepath.Join(dir, "files", "about.txt")
	old, err := os.ReadFile(about)
	if err != nil {
		t.Fatal(err)
	}
	resp, body := send(t, http.MethodGet, site+"files/about.txt", nil)
	if media := resp.Header.Get("Content-Type"); body != string(old) || !strings.HasPrefix(media, "text/plain") {
		t.Errorf("%s, %s: %q", resp.Status, media, body)
	}
	resp, body = send(t, http.MethodHead, site+"files/about.txt", nil)
	if resp.ContentLength != int64(len(old)) || body != "" {
		t.Errorf("HEAD: %s, %d bytes announced, %q", resp.Status, resp.ContentLength, body)
	}
	if resp, _ := send(t, http.MethodGet, site+"files/form.css", nil); !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/css") {
		t.Errorf("the style sheet is %s", resp.Header.Get("Content-Type"))
	}
	if resp, _ := send(t, http.MethodGet, site+"files/nothing.txt", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is not there: %s", resp.Status)
	}

	changed := bytes.Repeat([]byte("changed\n"), 3)
	if err := os.WriteFile(about, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	// static says that a change is seen within a second.
	testserver.Eventually(t, "the file is served as it is now", func() bool {
		_, body := send(t, http.MethodGet, site+"files/about.txt", nil)
		return body == string(changed)
	})
}
