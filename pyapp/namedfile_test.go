package pyapp_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// namedFiles makes a folder with what applications may name, and the
// configuration of the one that does.
func namedFiles(t *testing.T) (string, pyapp.Config) {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "files")
	if err := os.MkdirAll(filepath.Join(dir, "inner", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"ten": "0123456789", "empty": "", "caf\u00e9 %41": "spelled", "inner/file": "inner", "inner/deep/file": "deep",
		"large": strings.Repeat("x", 1<<20), "../outside": "secret",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "ten", "way_out": "../outside", "linked_folder": ".."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, pyapp.Config{
		App: "files", Env: append(os.Environ(), "FOLDER="+dir), Sendfile: true,
		AccelRedirect: map[string]string{"/protected": dir, "/protected/inner/deep/": filepath.Join(dir, "inner")},
	}
}

// fileRequest is a request with its own fields for one of the applications.
func fileRequest(method, path string, fields ...string) string {
	var lines strings.Builder
	for _, field := range fields {
		lines.WriteString(field + "\r\n")
	}
	return method + " " + path + " HTTP/1.1\r\nHost: test\r\n" + lines.String() + "\r\n"
}

func TestFilesThatResponsesName(t *testing.T) {
	_, config := namedFiles(t)
	large := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, request string
		status        int
		length        int64
		body          string
	}{
		{"whole", fileRequest("GET", "/sendfile?ten"), 200, 10, "0123456789"},
		{"large", fileRequest("GET", "/sendfile?large"), 200, 1 << 20, large},
		{"empty", fileRequest("GET", "/sendfile?empty"), 200, 0, ""},
		{"by a link", fileRequest("GET", "/sendfile?link"), 200, 10, "0123456789"},
		{"beside a list", fileRequest("GET", "/from_list?ten"), 200, 10, "0123456789"},
		{"beside a generator", fileRequest("GET", "/from_generator?ten"), 200, 10, "0123456789"},
		{"beside write", fileRequest("GET", "/from_write?ten"), 200, 10, "0123456789"},
		{"HEAD", fileRequest("HEAD", "/sendfile?ten"), 200, 10, ""},
		{"range", fileRequest("GET", "/sendfile?ten", "Range: bytes=2-4"), 206, 3, "234"},
		{"last bytes", fileRequest("GET", "/sendfile?ten", "Range: bytes=-2"), 206, 2, "89"},
		{"range of HEAD", fileRequest("HEAD", "/sendfile?ten", "Range: bytes=2-4"), 206, 3, ""},
		{"range beyond the end", fileRequest("GET", "/sendfile?ten", "Range: bytes=10-"), 416, 33, "invalid range: failed to overlap\n"},
		{"not modified since", fileRequest("GET", "/sendfile?ten", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"), 304, -1, ""},
		{"own tag matches", fileRequest("GET", "/own_validators?ten", `If-None-Match: "own"`), 304, -1, ""},
		{"own tag differs", fileRequest("GET", "/own_validators?ten", `If-None-Match: "other"`), 200, 10, "0123456789"},
		{"own time", fileRequest("GET", "/own_validators?ten", "If-Modified-Since: Tue, 01 Jan 2019 00:00:00 GMT"), 304, -1, ""},
		{"range if the tag is right", fileRequest("GET", "/own_validators?ten", `If-Range: "own"`, "Range: bytes=0-0"), 206, 1, "0"},
		{"range if the tag is wrong", fileRequest("GET", "/own_validators?ten", `If-Range: "other"`, "Range: bytes=0-0"), 200, 10, "0123456789"},
		{"range that the application evaluated", fileRequest("GET", "/partial?ten", "Range: bytes=0-1"), 206, 2, "01"},
		{"own status", fileRequest("GET", "/own_status?ten", "Range: bytes=2-4"), 403, 10, "0123456789"},
		{"HEAD with a status of its own", fileRequest("HEAD", "/own_status?ten"), 403, 10, ""},
		{"POST has no ranges", fileRequest("POST", "/sendfile?ten", "Content-Length: 0", "Range: bytes=2-4"), 200, 10, "0123456789"},
		{"replaced by a head without", fileRequest("GET", "/replaced?ten"), 503, 8, "replaced"},
		{"redirect", fileRequest("GET", "/redirect?/protected/ten"), 200, 10, "0123456789"},
		{"redirect to a spelling", fileRequest("GET", "/redirect?/protected/caf%C3%A9%20%2541?query=dropped"), 200, 7, "spelled"},
		{"redirect deeper", fileRequest("GET", "/redirect?/protected/inner/file"), 200, 5, "inner"},
		{"redirect by the longest prefix", fileRequest("GET", "/redirect?/protected/inner/deep/file"), 200, 5, "inner"},
	}
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				got := server.Ask(tt.request)
				if got.Status != tt.status || got.Text() != tt.body || got.Length != tt.length {
					t.Errorf("status %d, Content-Length %d, body %.40q; want %d, %d, %.40q", got.Status, got.Length, got.Body, tt.status, tt.length, tt.body)
				}
				for name := range got.Header {
					if name == "X-Sendfile" || name == "X-Accel-Redirect" {
						t.Errorf("the client sees %s", name)
					}
				}
				if got.Status == 200 && got.Get("Content-Type") != "text/x-sent" {
					t.Errorf("Content-Type %q, want the application's", got.Get("Content-Type"))
				}
			})
		}
		if got := server.Get("/sendfile?ten"); got.Get("X-Kept") != "yes" || got.Get("Last-Modified") == "" || got.Get("Etag") == "" {
			t.Errorf("header %v", got.Header)
		}
	})
}

func TestFilesThatCannotBeSent(t *testing.T) {
	dir, config := namedFiles(t)
	configured := fmt.Sprintf("is not below what is configured: /protected/inner/deep/=%s/inner, /protected/=%s", dir, dir)
	const spelling = "give a path without '..' that ends with a file's name"
	tests := []struct {
		path   string
		status int
		log    string
	}{
		{"/sendfile?none", 404, "X-Sendfile names " + dir + "/none: No such file or directory"},
		{"/sendfile?ten/below", 404, "Not a directory"},
		{"/sendfile?", 500, "which is not a regular file"},
		{"/sendfile?fifo", 500, "X-Sendfile names " + dir + "/fifo, which is not a regular file"},
		{"/sendfile?/dev/null", 500, "which is not a regular file"},
		{"/relative", 500, "X-Sendfile names some/file: give the absolute path of a file"},
		{"/redirect?/protected/none", 404, "X-Accel-Redirect names /protected/none: No such file or directory"},
		{"/redirect?/protected/fifo", 500, "which is not a regular file"},
		{"/redirect?/protected/inner", 500, "which is not a regular file"},
		{"/redirect?/protected/../outside", 500, spelling},
		{"/redirect?/protected/%2e%2e/outside", 500, spelling},
		{"/redirect?/protected/inner/../../outside", 500, spelling},
		{"/redirect?/protected//etc/passwd", 500, spelling},
		{"/redirect?/protected/", 500, spelling},
		{"/redirect?/protected/a%00b", 500, spelling},
		{"/redirect?/protected/link", 500, "a symbolic link, which is not followed"},
		{"/redirect?/protected/way_out", 500, "a symbolic link, which is not followed"},
		{"/redirect?/protected/linked_folder/outside", 404, "Not a directory"},
		{"/redirect?/protected", 500, configured},
		{"/redirect?/protectedness", 500, configured},
		{"/redirect?/etc/passwd", 500, configured},
		{"/redirect?https://example.org/protected/ten", 500, configured},
		{"/starts_twice?ten", 500, "call start_response once"},
		{"/returns_str?ten", 500, "return bytes, not str"},
	}
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		for _, tt := range tests {
			got := server.Get(tt.path)
			if got.Status != tt.status {
				t.Errorf("%s: status %d, want %d", tt.path, got.Status, tt.status)
			}
			id := got.Get("X-Request-Id")
			line := s.log.Line(t, `"path":"`, `"request":"`+id+`"`)
			if !strings.Contains(line, tt.log) || !strings.Contains(line, "files.py:") {
				t.Errorf("%s: log: %s\nwant %s", tt.path, line, tt.log)
			}
			if strings.Contains(got.Text(), "not the file") || strings.Contains(got.Text(), dir) {
				t.Errorf("%s: the visitor sees %s", tt.path, got.Body)
			}
		}
	})
}

func TestBodyBesideANamedFileIsClosedOnce(t *testing.T) {
	_, config := namedFiles(t)
	s := serve(t, config)
	for _, path := range []string{"/sendfile?ten", "/from_generator?ten", "/from_write?ten", "/sendfile?none"} {
		s.get(t, path)
		if got := s.get(t, "/what_was_closed"); got.body != "once" {
			t.Errorf("%s: closed %q, want once", path, got.body)
		}
	}
}

func TestFieldsThatNameFilesAreOffAtFirst(t *testing.T) {
	_, config := namedFiles(t)
	config.Sendfile, config.AccelRedirect = false, nil
	s := serve(t, config)
	for path, field := range map[string]string{"/from_list?ten": "X-Sendfile", "/redirect?/protected/ten": "X-Accel-Redirect"} {
		if got := s.get(t, path); got.body != "not the file" || got.header.Get(field) == "" {
			t.Errorf("%s: body %q, header %v; want both as the application gave them", path, got.body, got.header)
		}
	}
	// One does not switch the other on.
	_, config = namedFiles(t)
	config.Sendfile = false
	s = serve(t, config)
	if got := s.get(t, "/from_list?ten"); got.body != "not the file" || got.header.Get("X-Sendfile") == "" {
		t.Errorf("X-Sendfile: body %q, header %v", got.body, got.header)
	}
	if got := s.get(t, "/redirect?/protected/ten"); got.status != http.StatusOK || got.body != "0123456789" {
		t.Errorf("X-Accel-Redirect: status %d, body %q", got.status, got.body)
	}
}

func TestRedirectsThatAreRefused(t *testing.T) {
	for prefix, dir := range map[string]string{"protected/": "files", "": "files", "/protected/": "", "/a": "b\x00c"} {
		_, err := pyapp.Open(pyapp.Config{Dir: "testdata/apps", App: "good", AccelRedirect: map[string]string{prefix: dir}})
		if err == nil || !strings.Contains(err.Error(), "a URL path that begins with / and a folder belong here") {
			t.Errorf("%q to %q: %v", prefix, dir, err)
		}
	}
}
