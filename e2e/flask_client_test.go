package e2e_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// A Flask application with what needs more than one request or more than one
// block: sessions, uploads, parts of files, streams.
const flaskApp = `import os, tempfile, time
from flask import Flask, request, send_file, session

app = Flask(__name__)
app.secret_key = os.urandom(16)  # made once, before the workers are
folder = tempfile.mkdtemp(dir=".")

@app.post("/name")
def name():
    session["name"] = request.form["name"]
    return str(os.getpid())

@app.get("/greet")
def greet():
    return "%d %s" % (os.getpid(), session.get("name", "nobody"))

@app.post("/file")
def upload():
    request.files["file"].save(os.path.join(folder, "file"))
    return request.form["note"]

@app.get("/file")
def download():
    return send_file(os.path.abspath(os.path.join(folder, "file")), mimetype="application/octet-stream", conditional=True)

@app.get("/stream")
def stream():
    def parts():
        yield "begun\n"
        while not os.path.exists("go"):
            time.sleep(0.005)
        for n in range(1000):
            yield "%d\n" % n
    return app.response_class(parts(), mimetype="text/plain")
`

func TestFlaskByClient(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.py"), flaskApp)
	_, server := host(t, pyapp.Config{
		Dir: dir, App: "app:app", Python: python(t, "flask"), Workers: 3, Env: append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"),
	})
	v := visit(t, siteOf(server))
	t.Run("session", func(t *testing.T) {
		first := v.submit("name", url.Values{"name": {"Ada & Grace"}}).body
		others := 0
		for n := 0; n < 100 && others == 0; n++ {
			// Two at once: one worker cannot answer both.
			answers := make(chan page, 2)
			for range cap(answers) {
				go func() { answers <- v.do(http.MethodGet, "greet", nil) }()
			}
			for range cap(answers) {
				pid, name, _ := strings.Cut((<-answers).body, " ")
				if name != "Ada & Grace" {
					t.Fatalf("process %s greets %q", pid, name)
				}
				if pid != first {
					others++
				}
			}
		}
		if others == 0 {
			t.Error("only one worker was asked")
		}
	})
	for _, size := range []int{10, 50_000, 3_000_000} {
		t.Run("file of "+strconv.Itoa(size), func(t *testing.T) {
			content := bytes.Repeat([]byte("\x00\r\n--\xff789"), size/9+1)[:size]
			if got := v.upload("file", url.Values{"note": {"Größe"}}, "file", "a.bin", content); got.StatusCode != http.StatusOK || got.body != "Größe" {
				t.Fatalf("%s: %.200q", got.Status, got.body)
			}
			whole := v.get("file")
			if whole.body != string(content) {
				t.Errorf("%d bytes come back, want %d", len(whole.body), size)
			}
			from, to := size/2, size/2+4
			got := v.do(http.MethodGet, "file", nil, "Range", "bytes="+strconv.Itoa(from)+"-"+strconv.Itoa(to-1))
			if got.StatusCode != http.StatusPartialContent || got.body != string(content[from:to]) {
				t.Errorf("a part: %s, %q, want %q", got.Status, got.body, content[from:to])
			}
			if got := v.do(http.MethodGet, "file", nil, "Range", "bytes="+strconv.Itoa(size)+"-"); got.StatusCode != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("a part behind the end: %s", got.Status)
			}
			if got := v.do(http.MethodGet, "file", nil, "If-None-Match", whole.Header.Get("Etag")); got.StatusCode != http.StatusNotModified || got.body != "" {
				t.Errorf("known already: %s, %d bytes", got.Status, len(got.body))
			}
		})
	}
	t.Run("stream", func(t *testing.T) {
		resp, err := v.client.Get(v.url + "stream")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		if !lines.Scan() || lines.Text() != "begun" {
			t.Fatalf("first line %q, %v", lines.Text(), lines.Err())
		}
		write(t, filepath.Join(dir, "go"), "")
		for n := range 1000 {
			if !lines.Scan() || lines.Text() != strconv.Itoa(n) {
				t.Fatalf("line %d is %q, %v", n, lines.Text(), lines.Err())
			}
		}
		if lines.Scan() || lines.Err() != nil {
			t.Errorf("after the last line: %q, %v", lines.Text(), lines.Err())
		}
	})
}
