package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestListing looks at a folder on a phone, in the dark.
func TestListing(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("a-name-without-end-", 10) + ".txt"
	for name, size := range map[string]int{
		"letters/Grüße & mehr.txt": 40,
		"<b>bold.html":             7,
		"Überraschung.bin":         3_000_000,
		long:                       1200,
		".secret":                  1,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	url := serve(t, dir, nil, "--listen", "127.0.0.1:0")
	b := browse(t, phone())
	b.open(url)
	const names = "Array.from(document.querySelectorAll('tbody td.name'), td => td.textContent.trim())"

	got := eval[[]string](b, names)
	slices.Sort(got)
	if want := []string{"<b>bold.html", long, "letters/", "Überraschung.bin"}; !slices.Equal(got, want) {
		t.Errorf("the listing shows %q, want %q", got, want)
	}
	if got, want := eval[string](b, "getComputedStyle(document.body).color"), "rgb(255, 255, 255)"; got != want {
		t.Errorf("in dark mode the text is %s, want %s", got, want)
	}
	if got := eval[int](b, "Array.from(document.querySelectorAll('th, td')).filter(cell => cell.scrollWidth > cell.clientWidth).length"); got > 0 {
		t.Errorf("%d cells are too narrow for what they hold", got)
	}
	b.look("listing-phone")

	b.follow("th.size a")
	files := eval[[]string](b, names)
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "/") })
	smallest := []string{"<b>bold.html", long, "Überraschung.bin"}
	largest := slices.Clone(smallest)
	slices.Reverse(largest)
	if !slices.Equal(files, smallest) && !slices.Equal(files, largest) {
		t.Errorf("by size the files are %q", files)
	}

	b.follow("td.folder a")
	if got, want := eval[[]string](b, names), []string{"../", "Grüße & mehr.txt"}; !slices.Equal(got, want) {
		t.Errorf("in the folder are %q, want %q", got, want)
	}
	b.look("listing-folder")
	b.follow("td.folder a")
	if got := eval[string](b, "location.pathname"); got != "/" {
		t.Errorf("the way up leads to %s", got)
	}
}
