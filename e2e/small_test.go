package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestFlask pins a note on the Flask example.
func TestFlask(t *testing.T) {
	dir := filepath.Join(root(t), "examples", "flask")
	url := serve(t, dir, []string{"PYTHONDONTWRITEBYTECODE=1"}, "run", "--python", python(t, "flask"), "--workers", "1", "--listen", "127.0.0.1:0")
	b := browse(t, phone())
	b.open(url)
	b.fill("input", "Milch & Brot")
	b.follow("button")
	if got := b.text("li"); got != "Milch & Brot" {
		t.Errorf("the board shows %q", got)
	}
	if got, want := eval[string](b, "getComputedStyle(document.querySelector('ul')).listStyleType"), "none"; got != want {
		t.Errorf("the list's style is %s, want %s: the style sheet is missing", got, want)
	}
	b.look("flask")
}

// TestPlainWSGI sends the form of the example that has no framework.
func TestPlainWSGI(t *testing.T) {
	dir := filepath.Join(root(t), "examples", "wsgi")
	url := serve(t, dir, []string{"PYTHONDONTWRITEBYTECODE=1"}, "run", "--listen", "127.0.0.1:0", "wsgi:application")
	b := browse(t, phone())
	b.open(url + "café?a=1")
	b.fill("input", "Öl")
	b.follow("button")
	if got := b.text("h1"); got != "POST /café" {
		t.Errorf("the heading is %q", got)
	}
	if got := b.text("dl"); !strings.Contains(got, "Öl") {
		t.Errorf("the list shows %q", got)
	}
	b.look("wsgi")
}
