package errorpage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

func TestWrite(t *testing.T) {
	tests := []struct {
		name        string
		method      string
		accept      string
		status      int
		sentence    string
		contentType string
		holds       []string
	}{
		{"page for a browser", "GET", "text/html,*/*;q=0.8", 404, "", "text/html; charset=utf-8", []string{"<h1>404 Not Found</h1>", "There is nothing at this address."}},
		{"text for a tool", "GET", "*/*", 502, "", "text/plain; charset=utf-8", []string{"502 Bad Gateway\nThe application did not answer.\nRequest "}},
		{"own sentence, escaped", "GET", "text/html", 503, "a <b> & c", "text/html; charset=utf-8", []string{"a &lt;b&gt; &amp; c"}},
		{"status without a sentence of its own", "GET", "", 418, "", "text/plain; charset=utf-8", []string{"418 I'm a teapot\nI'm a teapot.\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Header.Set("Accept", tt.accept)
			w := httptest.NewRecorder()
			w.Header().Set("Etag", `"of another body"`)
			w.Header().Set("Retry-After", "1")
			errorpage.Write(w, r, tt.status, tt.sentence)
			if w.Code != tt.status {
				t.Errorf("status = %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Content-Type"); got != tt.contentType {
				t.Errorf("Content-Type = %q, want %q", got, tt.contentType)
			}
			if w.Header().Get("Etag") != "" || w.Header().Get("Retry-After") != "1" {
				t.Errorf("fields = %v, want Etag removed and Retry-After kept", w.Header())
			}
			id := w.Header().Get("X-Request-Id")
			for _, want := range append(tt.holds, id) {
				if id == "" || !strings.Contains(w.Body.String(), want) {
					t.Errorf("body does not hold %q:\n%s", want, w.Body)
				}
			}
		})
	}
}

func TestWriteHeadHasNoBody(t *testing.T) {
	w := httptest.NewRecorder()
	errorpage.Write(w, httptest.NewRequest(http.MethodHead, "/", nil), 404, "")
	if w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d bytes of body, Content-Length %q; want none and the page's length", w.Body.Len(), w.Header().Get("Content-Length"))
	}
}
