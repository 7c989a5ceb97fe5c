package cgi_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestDivert has a handler answer in place of the scripts that it is for, which
// are found and refused like all.
func TestDivert(t *testing.T) {
	dir := folder(t, files{"plain": sh(`Content-Type: text/plain\n\nran`), "sub/mine": "MINE", "loose": "MINE"})
	must(t, os.Chmod(filepath.Join(dir, "sub", "mine"), 0o600)) // need not be executable
	must(t, os.Chmod(filepath.Join(dir, "loose"), 0o775))
	must(t, os.Symlink("sub/mine", filepath.Join(dir, "link")))
	divert := func(_ *http.Request, s *cgi.Script) http.Handler {
		text, err := io.ReadAll(io.NewSectionReader(s.Text, 0, 100))
		if err != nil || int64(len(text)) != s.Info.Size() {
			t.Errorf("%s: %q, %v", s.Path, text, err)
		}
		if string(text) != "MINE" {
			return nil
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, strings.TrimPrefix(s.Path, dir)+" "+s.Name+" "+r.URL.Path+" "+string(body))
		})
	}
	on := open(t, dir, cgi.Config{Divert: divert})
	off := open(t, dir, cgi.Config{Divert: divert, Off: true})
	for _, tt := range []struct {
		request string
		at      *site
		status  int
		body    string // "*" means any
	}{
		{get("/cgi-bin/plain"), on, 200, "ran"},
		{get("/cgi-bin/sub/mine/more?x"), on, 200, "/sub/mine /cgi-bin/sub/mine /cgi-bin/sub/mine/more "},
		{ask("POST", "/cgi-bin/sub/mine", "body"), on, 200, "/sub/mine /cgi-bin/sub/mine /cgi-bin/sub/mine body"},
		{get("/cgi-bin/loose"), on, 403, "*"},
		{get("/cgi-bin/link"), on, 403, "*"},
		{get("/cgi-bin/sub/mine"), off, 403, "*"},
	} {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			if res := tt.at.serve(t, m).Ask(tt.request); res.Status != tt.status || tt.body != "*" && res.Text() != tt.body {
				t.Errorf("%.40q: %d %q, want %d %q", tt.request, res.Status, res.Text(), tt.status, tt.body)
			}
		}, modes...)
	}
}

// A script that changes while its request waits for a turn is asked about again,
// and the handler gets the body, taken in or not.
func TestDivertLate(t *testing.T) {
	for name, body := range map[string]string{
		"of known length": "Content-Length: 4\r\n\r\nbody",
		"in chunks":       "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, files{"slow": "#!/bin/sh\nread line\nprintf 'Content-Type: text/plain\\n\\n'\n", "script": sh(`Content-Type: text/plain\n\nran`)})
			site := open(t, dir, cgi.Config{MaxScripts: 1, Divert: func(_ *http.Request, s *cgi.Script) http.Handler {
				if s.Info.Size() != 4 {
					return nil
				}
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					_, _ = fmt.Fprintf(w, "%s %d %v", body, r.ContentLength, err)
				})
			}})
			server := site.serve(t, testserver.H1)
			slow, late := server.Dial(), server.Dial()
			slow.Send("POST /cgi-bin/slow HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n")
			testserver.Eventually(t, "the first script runs", func() bool { return cgi.Running(site.Handler) == 1 })
			late.Send("POST /cgi-bin/script HTTP/1.1\r\nHost: test\r\n" + body)
			testserver.Eventually(t, "the second request waits", func() bool { return cgi.Waiting(site.Handler) == 1 })
			put(t, dir, "script", "MINE", 0o644)
			slow.Send("\n")
			if res := slow.Response("POST"); res.Status != 200 {
				t.Errorf("the first script: %d", res.Status)
			}
			if res := late.Response("POST"); res.Status != 200 || res.Text() != "body 4 <nil>" {
				t.Errorf("%d %q", res.Status, res.Text())
			}
		})
	}
}

// TestNotFound has a handler answer where there is no script.
func TestNotFound(t *testing.T) {
	site := open(t, folder(t, files{"data": "no script"}), cgi.Config{NotFound: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "nothing at "+r.URL.Path, http.StatusNotFound)
	})})
	must(t, os.Chmod(filepath.Join(site.dir, "data"), fs.FileMode(0o644)))
	for target, want := range map[string]string{
		"/cgi-bin/none": "nothing at /cgi-bin/none\n", "/cgi-bin/.hidden": "nothing at /cgi-bin/.hidden\n", "/other": "nothing at /other\n",
	} {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			if res := site.serve(t, m).Ask(get(target)); res.Status != 404 || res.Text() != want {
				t.Errorf("%s: %d %q", target, res.Status, res.Text())
			}
		}, modes...)
	}
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		if res := site.serve(t, m).Ask(get("/cgi-bin/data")); res.Status != 403 || strings.Contains(res.Text(), "nothing at") {
			t.Errorf("no script: %d %q", res.Status, res.Text())
		}
	}, modes...)
}
