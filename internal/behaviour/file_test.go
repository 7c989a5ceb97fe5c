package behaviour_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// net/http's file handlers work on the engine as on their own server.
func TestFileServer(t *testing.T) {
	dir := t.TempDir()
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, content := range map[string]string{"index.html": "<p>index</p>", "data.txt": "0123456789", "big.bin": strings.Repeat("b", 1<<20)} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	since := modified.Format(http.TimeFormat)
	memory := fstest.MapFS{"data.txt": {Data: []byte("0123456789"), ModTime: modified, Mode: fs.ModePerm}}
	onDisk := http.FileServer(http.Dir(dir)).ServeHTTP
	inMemory := http.FileServerFS(memory).ServeHTTP
	one := func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(dir, "data.txt")) }
	run(t, []dialogue{
		{"file", onDisk, get("/data.txt"), `200 content-length "0123456789", open`, []string{"Content-Type: text/plain; charset=utf-8", "Last-Modified: " + since, "Accept-Ranges: bytes"}},
		{"index", onDisk, get("/"), `200 content-length "<p>index</p>", open`, []string{"Content-Type: text/html; charset=utf-8"}},
		{"HEAD", onDisk, request("HEAD", "/big.bin", ""), `200 no body, open`, []string{"Content-Length: 1048576"}},
		{"missing", onDisk, get("/none"), `404 content-length "404 page not found\n", open`, nil},
		{"redirect", onDisk, get("/index.html"), `301 content-length "", open`, []string{"Location: ./"}},
		{"range", onDisk, get("/data.txt", "Range: bytes=2-4"), `206 content-length "234", open`, []string{"Content-Range: bytes 2-4/10"}},
		{"suffix range", onDisk, get("/data.txt", "Range: bytes=-3"), `206 content-length "789", open`, nil},
		{"open range", onDisk, get("/data.txt", "Range: bytes=8-"), `206 content-length "89", open`, nil},
		{"range out of reach", onDisk, get("/data.txt", "Range: bytes=10-"), `416 content-length "invalid range: failed to overlap\n", open`, []string{"Content-Range: bytes */10"}},
		{"range of HEAD", onDisk, request("HEAD", "/data.txt", "", "Range: bytes=2-4"), `206 no body, open`, []string{"Content-Length: 3"}},
		{"not modified", onDisk, get("/data.txt", "If-Modified-Since: "+since), `304 no body, open`, []string{"!Content-Length"}},
		{"precondition failed", onDisk, get("/data.txt", `If-Match: "x"`), `412 content-length "", open`, nil},
		{"file system in memory", inMemory, get("/data.txt"), `200 content-length "0123456789", open`, nil},
		{"range in memory", inMemory, get("/data.txt", "Range: bytes=2-4"), `206 content-length "234", open`, nil},
		{"ServeFile", one, get("/any"), `200 content-length "0123456789", open`, nil},
		{"HTTP/1.0", onDisk, "GET /data.txt HTTP/1.0\r\n\r\n", `200 content-length "0123456789", close`, nil},
		{"ServeContent", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "x.txt", modified, strings.NewReader("0123456789"))
		}, get("/", "Range: bytes=5-"), `206 content-length "56789", open`, nil},
	})
	t.Run("several ranges", func(t *testing.T) {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			res := testserver.Start(t, m, onDisk).Ask(get("/data.txt", "Range: bytes=0-0,5-6"))
			if res.Status != 206 || !strings.HasPrefix(res.Get("Content-Type"), "multipart/byteranges") {
				t.Fatalf("%d %s", res.Status, res.Get("Content-Type"))
			}
			for _, part := range []string{"bytes 0-0/10", "bytes 5-6/10", "\r\n\r\n0\r\n", "\r\n\r\n56\r\n"} {
				if !strings.Contains(res.Text(), part) {
					t.Errorf("no %q in %q", part, res.Body)
				}
			}
		})
	})
	t.Run("large file in pieces", func(t *testing.T) {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			c := testserver.Start(t, m, onDisk).Dial()
			const piece = 300_000
			var got int
			for at := 0; at < 1<<20; at += piece {
				res := c.Roundtrip(get("/big.bin", fmt.Sprintf("Range: bytes=%d-%d", at, at+piece-1)))
				got += len(res.Body)
			}
			if got != 1<<20 {
				t.Errorf("%d bytes in all", got)
			}
		})
	})
}

// A file that shrinks while it is sent cannot fill the announced length: the
// connection is cut, which is all the client can be told.
func TestFileShrinks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		if err := os.WriteFile(name, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			f, err := os.Open(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if err := os.Truncate(name, 100); err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Length", "1000")
			if n, err := w.(io.ReaderFrom).ReadFrom(f); n != 100 || err != nil {
				t.Errorf("ReadFrom: %d, %v", n, err)
			}
		})
		c := s.Dial()
		c.Send(get("/"))
		if res, err := c.Next(""); res == nil || len(res.Body) != 100 || !testserver.Ended(err) {
			t.Errorf("%+v, %v", res, err)
		}
	})
}
