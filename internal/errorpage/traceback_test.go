package errorpage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

func TestTraceback(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
	}{
		{"nothing", "", ""},
		{
			"own code and others'", `Traceback (most recent call last):
  File "/srv/shop/.venv/lib/python3.13/site-packages/flask/app.py", line 1536, in __call__
    return self.wsgi_app(environ, start_response)
           ~~~~~~~~~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/views.py", line 4, in show
    return undefined
  File "/usr/lib/python3.13/json/__init__.py", line 9, in loads
ValueError: no
`, `lib flask/app.py __call__ return [self.wsgi_app(environ, start_response)]
own views.py show return undefined
lib json/__init__.py loads 
exception ValueError: no
`,
		},
		{
			"code that does not compile", `Traceback (most recent call last):
  File "/srv/shop/wsgi.py", line 1, in <module>
    import views
  File "/srv/shop/views.py", line 9
    def show(request)
                     ^
SyntaxError: expected ':'
`, `own wsgi.py <module> import views
own views.py  def show(request)[ ]
exception SyntaxError: expected ':'
`,
		},
		{
			"exceptions of exceptions, messages of several lines", `Traceback (most recent call last):
  File "/srv/shop/a.py", line 1, in a
    raise KeyError
KeyError

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop/b.py", line 2, in b
    raise ValueError
ValueError: two

  File "x", lines

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop/c.py", line 3, in c
    raise OSError
OSError
`, `own a.py a raise KeyError
exception KeyError
link The above exception was the direct cause of the following exception:
own b.py b raise ValueError
exception ValueError: two

  File "x", lines
link During handling of the above exception, another exception occurred:
own c.py c raise OSError
exception OSError
`,
		},
		{
			"a recursion", `Traceback (most recent call last):
  File "/srv/shop/a.py", line 1, in a
    a()
  [Previous line repeated 990 more times]
RecursionError: too deep
`, `own a.py a a() (Previous line repeated 990 more times)
exception RecursionError: too deep
`,
		},
		{
			"columns that are no bytes", `Traceback (most recent call last):
  File "/srv/shop/a.py", line 1, in a
    größe(x)
    ~~~~~^^^
NameError: x
`, `own a.py a größe(x)
~~~~~^^^
exception NameError: x
`,
		},
		{
			"several lines of code", `Traceback (most recent call last):
  File "/srv/shop/a.py", line 1, in a
    f(
    ~^
        1,
        ^^
    )
    ^
NameError: x
`, `own a.py a [f(]
    [1,]
[)]
exception NameError: x
`,
		},
		{"no traceback", "it just\ndid not work", "exception it just\ndid not work\n"},
		{"cut off at the beginning", "ne 3, in c\n    raise OSError\nOSError", "exception ne 3, in c\n    raise OSError\nOSError\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := errorpage.Outline(tt.text, "/srv/shop"); got != tt.want {
				t.Errorf("outline:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// FuzzFailure: whatever an application says, the page is written, and nothing of
// it becomes markup.
func FuzzFailure(f *testing.F) {
	f.Add(tracebackOfView, "/srv/shop/views.py:3: NameError: x", "/srv/shop")
	f.Add("Traceback (most recent call last):\n  File \"</style><script>\", line 1, in <script>\n    <script>\n    ^^^^^^^^^\n  [<script>]\n<script>: <script>", "<script>", "")
	f.Add("  File \"/a\", line 99999999999999999999\n       ^\n    \n    ~~~~~~~~~~~", "a.py:99999999999999999999: x", "/")
	f.Fuzz(func(t *testing.T, traceback, summary, dir string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		errorpage.WriteFailure(w, r, errorpage.Failure{Summary: summary, Traceback: traceback, Dir: dir})
		body := w.Body.String()
		if w.Code != http.StatusInternalServerError || !strings.HasSuffix(body, "</html>\n") {
			t.Errorf("status %d, the page ends with %q", w.Code, body[max(0, len(body)-20):])
		}
		if strings.Contains(strings.ToLower(body), "<script") || strings.Count(body, "</style>") != 1 {
			t.Errorf("markup of the application's:\n%s", body)
		}
	})
}
