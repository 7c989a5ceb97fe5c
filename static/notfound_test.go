package static_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestNotFoundPage(t *testing.T) {
	tests := []struct {
		name  string
		files files
		want  string
	}{
		{"404.html", files{"404.html": "<p>ours", "NotFound.html": "<p>other"}, "<p>ours"},
		{"NotFound.html", files{"NotFound.html": "<p>other"}, "<p>other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, k := open(t, static.Config{Roots: []string{folder(t, tt.files)}})
			for range 2 {
				w, _ := both(t, h, request("GET", "/nothing", "If-None-Match", "*", "Range", "bytes=0-0"))
				if w.Code != 404 || w.Body.String() != tt.want || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
					t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
				}
				if w.Header().Get("ETag") != "" || w.Header().Get("Last-Modified") != "" {
					t.Errorf("a 404 with validators: %v", w.Header())
				}
				k.advance(static.Confirm)
			}
			if w := get(h, "/"+tt.name); w.Code != 200 {
				t.Errorf("by its own name: status %d", w.Code)
			}
			if w := get(h, "/.git/x"); w.Code != 404 || w.Body.String() != tt.want {
				t.Errorf("hidden: %d %q, want what nothing gets", w.Code, w.Body)
			}
			for _, method := range []string{"HEAD", "POST"} {
				w, _ := both(t, h, request(method, "/nothing"))
				if w.Code != 404 || (w.Body.Len() == 0) != (method == "HEAD") {
					t.Errorf("%s: %d with %d bytes", method, w.Code, w.Body.Len())
				}
			}
		})
	}
}

func TestNotFoundHandler(t *testing.T) {
	h, _ := open(t, static.Config{
		Roots: []string{folder(t, files{"page": "file", "404.html": ""})},
		NotFound: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.Method+" "+r.URL.Path)
		}),
	})
	for path, want := range map[string]string{"/page": "file", "/form": "GET /form", "/a/../b": "GET /a/../b"} {
		if got := get(h, path).Body.String(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	w, _ := both(t, h, request("POST", "/form"))
	if w.Body.String() != "POST /form" {
		t.Errorf("POST: %q: methods of others are not ours to refuse", w.Body)
	}
}

func TestPlainNotFound(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{})}})
	w := get(h, "/nothing")
	if w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" || w.Body.Len() == 0 {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
}
