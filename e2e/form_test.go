package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestForm looks at the page of the form example, and sends its form to the
// page and to the CGI script.
func TestForm(t *testing.T) {
	dir := filepath.Join(root(t), "examples", "form")
	url := serveBy(t, exec.Command(testserver.Build(t, dir), "-listen", "127.0.0.1:0", "-dir", dir))
	const seen = "document.images[0].complete && document.images[0].naturalWidth == 320"
	// A name that would be markup, longer than a kilobyte.
	name := "Ada <b>Lovelace</b> & 墨水 " + strings.Repeat("x", 1200)

	b := browse(t, phone())
	b.open(url)
	b.until(seen)
	b.fill("input", name)
	b.follow("#page")
	if got := b.text("#name"); got != name {
		t.Errorf("the page shows %q", got)
	}
	b.until(seen)
	b.look("form")

	b.fill("input", name)
	b.follow("#script")
	if got := eval[string](b, "location.pathname"); got != "/cgi-bin/post.py" {
		t.Errorf("the form went to %s", got)
	}
	if got := b.text("#name"); got != name {
		t.Errorf("the script shows %q", got)
	}
	b.look("form-script")

	b.follow("a")
	b.follow("a")
	if got := b.text("body"); !strings.HasPrefix(got, "This text lies in files/.") {
		t.Errorf("the file shows %q", got)
	}
}
