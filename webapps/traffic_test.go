package webapps_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// TestTraffic counts what is asked of each application, also of one that cannot
// answer, and over its deployments.
func TestTraffic(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/site", page("welcome"))
	write(t, dir+"/heap", tree{"notes.txt": "private"})
	h := open(t, dir)
	h.wants("/site/", http.StatusOK, "welcome")
	h.wants("/site/nothing", http.StatusNotFound, "")
	h.wants("/heap/", http.StatusServiceUnavailable, "")
	h.wants("/elsewhere/", http.StatusNotFound, "")
	if err := h.Reload(t.Context(), named(t, "site")); err != nil {
		t.Fatal(err)
	}
	h.wants("/site/", http.StatusOK, "welcome")

	site, _ := h.status("site")
	if a := site.Traffic.Answers; a[2] != 2 || a[4] != 1 || site.Traffic.Total() != 3 || site.Traffic.Bytes < 2*int64(len("welcome")) {
		t.Errorf("site answered %v with %d bytes, want two of 200 and one of 404", a, site.Traffic.Bytes)
	}
	heap, _ := h.status("heap")
	if a := heap.Traffic.Answers; a[5] != 1 || heap.Traffic.Total() != 1 {
		t.Errorf("heap answered %v, want one of 503", a)
	}
}

// TestRequests looks at a request while it is answered.
func TestRequests(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/slow", tree{"app.py": `import os, time

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    while not os.path.exists("go"):
        time.sleep(0.01)
    return [b"done"]
`})
	h := open(t, dir)
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.wants("/slow/page", http.StatusOK, "done")
	}()
	testserver.Eventually(t, "the request is in flight", func() bool {
		r, err := h.Requests(named(t, "slow"), 10)
		return err == nil && len(r) == 1 && r[0].Method == http.MethodGet && r[0].Path == "/slow/page" && r[0].Age > 0
	})
	write(t, dir+"/slow", tree{"go": ""})
	testserver.Receive(t, "the answer", done)
	if r, err := h.Requests(named(t, "slow"), 10); err != nil || len(r) != 0 {
		t.Errorf("in flight afterwards: %v, %v; want none", r, err)
	}
	if _, err := h.Requests(named(t, "nobody"), 10); !errors.Is(err, webapps.ErrNoApp) {
		t.Errorf("requests of nobody: %v, want ErrNoApp", err)
	}
}
