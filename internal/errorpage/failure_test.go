package errorpage_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

const tracebackOfView = `Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/flask/app.py", line 9, in __call__
    return self.wsgi_app(environ, start_response)
  File "/srv/shop/views.py", line 3, in show
    return "<b>" + undefined
                   ^^^^^^^^^
NameError: name 'undefined' is not <defined>
`

// written is the answer with a failure.
func written(method, accept string, f errorpage.Failure) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/show/<b>?q=1", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	w.Header().Set("Etag", `"of another body"`)
	w.Header().Set("X-Request-Id", "0123456789abcdef")
	errorpage.WriteFailure(w, r, f)
	return w
}

func TestWriteFailure(t *testing.T) {
	view := errorpage.Failure{
		What: "The application raised an exception.", Note: "You are a developer.",
		Summary: "/srv/shop/views.py:3: NameError: name 'undefined' is not <defined>", Traceback: tracebackOfView, Dir: "/srv/shop",
	}
	for _, tt := range []struct {
		name, method, accept string
		failure              errorpage.Failure
		holds, lacks         []string
	}{
		{
			"page", "GET", "text/html", view,
			[]string{
				`<span class="kind">NameError</span> <span class="message">name &#39;undefined&#39; is not &lt;defined&gt;</span>`,
				"<b>views.py</b>:3", "in show", "return &#34;&lt;b&gt;&#34; &#43; <mark>undefined</mark>",
				"<details><summary>1 call in flask</summary>", "<b>flask/app.py</b>:9",
				"The application raised an exception.", "You are a developer.", "0123456789abcdef", "GET /show/&lt;b&gt;",
			},
			[]string{"http-equiv", "/srv/shop/views.py</b>"},
		},
		{
			"calls in packages", "GET", "text/html",
			errorpage.Failure{Dir: "/srv/shop", Traceback: `Traceback (most recent call last):
  File "/usr/lib/python3.13/importlib/__init__.py", line 88, in import_module
  File "<frozen importlib._bootstrap>", line 1387, in _gcd_import
  File "<frozen runpy>", line 198, in run
  File "/usr/lib/python3.13/functools.py", line 4, in f
  File "/opt/odd/thing.py", line 5, in g
  File "/srv/shop/urls.py", line 1, in <module>
ImportError: no
`},
			[]string{"<summary>5 calls in importlib, runpy, functools, thing.py</summary>"},
			[]string{"<details open>"},
		},
		{
			"text", "GET", "*/*", view,
			[]string{"500 Internal Server Error\nThe application raised an exception.\n\nTraceback (most", "NameError: name 'undefined' is not <defined>\n\n/srv/shop/views.py:3: ", "Request 0123456789abcdef\n"},
			[]string{"<html"},
		},
		{
			"no code of the application's own", "GET", "text/html",
			errorpage.Failure{Traceback: tracebackOfView, Dir: "/srv/other"},
			[]string{"<details open>"},
			[]string{`class="own"`},
		},
		{
			"advice without a traceback", "GET", "text/html",
			errorpage.Failure{Summary: "/srv/shop/wsgi.py:9: return bytes, not str: encode the text first", Dir: "/srv/shop"},
			[]string{"<b>wsgi.py</b>:9", `<span class="message">return bytes, not str: encode the text first</span>`},
			[]string{"<h2>", "As text"},
		},
		{
			"asks again", "GET", "text/html",
			errorpage.Failure{Summary: "SyntaxError", Retry: 2},
			[]string{`<meta http-equiv="refresh" content="2">`},
			nil,
		},
		{
			"asks for nothing twice that was sent", "POST", "text/html",
			errorpage.Failure{Summary: "SyntaxError", Retry: 2},
			[]string{"SyntaxError"},
			[]string{"http-equiv"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := written(tt.method, tt.accept, tt.failure)
			if w.Code != http.StatusInternalServerError || w.Header().Get("Etag") != "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, fields %v", w.Code, w.Header())
			}
			for _, want := range tt.holds {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("body does not hold %q:\n%s", want, w.Body)
				}
			}
			for _, not := range tt.lacks {
				if strings.Contains(w.Body.String(), not) {
					t.Errorf("body holds %q:\n%s", not, w.Body)
				}
			}
		})
	}
}

// The policy lets the page's own style through, byte for byte, and nothing else.
func TestFailurePolicy(t *testing.T) {
	w := written("GET", "text/html", errorpage.Failure{Summary: "x"})
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := w.Header().Get("Content-Security-Policy"); !ok || got != want {
		t.Errorf("policy %q, want %q", got, want)
	}
	for _, inline := range []string{"style=", "src=", "href=", "onload"} {
		if strings.Contains(w.Body.String(), inline) {
			t.Errorf("the page has a %q", inline)
		}
	}
}

func TestWriteFailureHeadHasNoBody(t *testing.T) {
	if w := written("HEAD", "text/html", errorpage.Failure{Summary: "x"}); w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d bytes of body, Content-Length %q", w.Body.Len(), w.Header().Get("Content-Length"))
	}
}
