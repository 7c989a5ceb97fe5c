package daemon_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/static"
)

// whole is a writer that takes finished responses.
type whole struct {
	*httptest.ResponseRecorder
	finished bool
}

func (w *whole) WriteFinished(status int, head, body []byte) (int, error) {
	w.finished = true
	for line := range strings.Lines(string(head)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		w.Header().Add(name, value)
	}
	w.WriteHeader(status)
	return w.Write(body)
}

// However a handler writes, its fields are changed, and informational heads are
// not.
func TestDress(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("file"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := static.Open(static.Config{Roots: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	set := []config.HeaderRule{{Name: "X-Set", Values: []string{"mine"}}, {Name: "X-Gone"}, {Name: "Link", Values: []string{"a", "b"}}}
	head := func(w http.ResponseWriter) {
		w.Header().Set("X-Set", "theirs")
		w.Header().Set("X-Gone", "theirs")
	}
	for _, tt := range []struct {
		name     string
		rules    []config.HeaderRule
		answer   http.HandlerFunc
		body     string
		finished bool
	}{
		{"head and body", set, func(w http.ResponseWriter, _ *http.Request) { head(w); w.WriteHeader(200); io.WriteString(w, "x") }, "x", false},
		{"body alone", set, func(w http.ResponseWriter, _ *http.Request) { head(w); w.Write([]byte("x")) }, "x", false},
		{"text", set, func(w http.ResponseWriter, _ *http.Request) { head(w); io.WriteString(w, "x") }, "x", false},
		{"copied", set, func(w http.ResponseWriter, _ *http.Request) {
			head(w)
			io.Copy(w, io.LimitReader(strings.NewReader("x"), 1))
		}, "x", false},
		{"flushed", set, func(w http.ResponseWriter, _ *http.Request) {
			head(w)
			http.NewResponseController(w).Flush()
			io.WriteString(w, "x")
		}, "x", false},
		{"a finished file", set, files.ServeHTTP, "file", true},
		{"a file whose own field is changed", append(set, config.HeaderRule{Name: "Last-Modified"}), files.ServeHTTP, "file", false},
		{"no dress", nil, files.ServeHTTP, "file", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &whole{ResponseRecorder: httptest.NewRecorder()}
			daemon.Dressed(tt.answer, tt.rules, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a.txt", nil))
			got := w.Result()
			if w.Body.String() != tt.body || w.finished != tt.finished {
				t.Errorf("body %q, finished %v; want %q, %v", w.Body, w.finished, tt.body, tt.finished)
			}
			for _, rule := range tt.rules {
				if have := got.Header.Values(rule.Name); strings.Join(have, " ") != strings.Join(rule.Values, " ") {
					t.Errorf("%s: %v, want %v", rule.Name, have, rule.Values)
				}
			}
		})
	}
	t.Run("early hints", func(t *testing.T) {
		server := httptest.NewServer(daemon.Dressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Gone", "hint")
			w.WriteHeader(http.StatusEarlyHints)
			if w.Header().Get("X-Gone") != "hint" {
				t.Error("the fields were changed before the final head")
			}
		}), set, nil))
		defer server.Close()
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("X-Set") != "mine" || resp.Header.Get("X-Gone") != "" {
			t.Errorf("fields %v", resp.Header)
		}
	})
}

// Pages are for errors that are ours, whatever stands before.
func TestErrorPages(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"ours", func(w http.ResponseWriter, r *http.Request) { errorpage.Write(w, r, 404, "") }, "our 404"},
		{"ours, behind another writer", func(w http.ResponseWriter, r *http.Request) {
			daemon.Dressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { errorpage.Write(w, r, 404, "") }),
				[]config.HeaderRule{{Name: "X"}}, nil).ServeHTTP(w, r)
		}, "our 404"},
		{"without a page", func(w http.ResponseWriter, r *http.Request) { errorpage.Write(w, r, 500, "") }, "500 Internal Server Error"},
		{"an application's", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); io.WriteString(w, "theirs") }, "theirs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := get(daemon.Dressed(tt.answer, nil, map[int]string{404: "our 404"}), "/")
			if !strings.Contains(got, tt.want) {
				t.Errorf("answer %q, want %q in it", got, tt.want)
			}
		})
	}
}
