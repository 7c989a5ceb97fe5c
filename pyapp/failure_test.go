package pyapp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Who may see a failure sees all of it; everybody else, and everybody where no
// one may, sees nothing of it.
func TestDebug(t *testing.T) {
	isDeveloper := func(r *http.Request) bool { return r.Header.Get("X-Developer") != "" }
	for _, tt := range []struct {
		name, path string
		debug      func(*http.Request) bool
		as         string
		holds      []string
		lacks      string
	}{
		{"an exception, for a developer", "/raises", isDeveloper, "me", []string{"The application raised an exception.", "Traceback (most recent call last):\n  File ", "bad.py", "Only a developer"}, ""},
		{"an exception, for a visitor", "/raises", isDeveloper, "", []string{"Something went wrong here."}, "bad.py"},
		{"an exception, where nobody may see it", "/raises", nil, "me", []string{"Something went wrong here."}, "bad.py"},
		{"advice, for a developer", "/returns_str", isDeveloper, "me", []string{"The application breaks PEP 3333.", "return bytes, not str"}, ""},
		{"a length that is wrong, for a developer", "/body_too_short", isDeveloper, "me", []string{"The application breaks PEP 3333.", "return as many bytes as Content-Length announces: 10, not 5"}, ""},
		{"advice, for a visitor", "/returns_str", isDeveloper, "", []string{"Something went wrong here."}, "bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, pyapp.Config{App: "bad", Debug: tt.debug})
			r := request(t, http.MethodGet, s.url+tt.path, nil)
			r.Header.Set("X-Developer", tt.as)
			got := s.do(t, r)
			if got.status != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", got.status)
			}
			for _, want := range append(tt.holds, got.header.Get("X-Request-Id")) {
				if !strings.Contains(got.body, want) {
					t.Errorf("the answer does not hold %q:\n%s", want, got.body)
				}
			}
			if tt.lacks != "" && strings.Contains(got.body, tt.lacks) {
				t.Errorf("the answer holds %q:\n%s", tt.lacks, got.body)
			}
			s.log.Line(t, got.header.Get("X-Request-Id"), `"path":"`+tt.path+`"`, `"level":"ERROR"`)
		})
	}
}

// A failure in the middle of an answer breaks it off for a developer as well:
// there is no place for a page any more.
func TestDebugInTheMiddle(t *testing.T) {
	s := serve(t, pyapp.Config{App: "bad", Debug: func(*http.Request) bool { return true }})
	if got := s.get(t, "/stream_too_long"); got.status != http.StatusOK || strings.Contains(got.body, "Traceback") {
		t.Errorf("status %d, body %q", got.status, got.body)
	}
}
