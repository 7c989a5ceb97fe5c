package static_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

// hrefs are the links of the entries of a listing, in order.
func hrefs(body string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`<td class="name[^"]*"><a href="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return all
}

func TestListing(t *testing.T) {
	dir := folder(t, files{
		"b.txt": "12", "A.txt": "123", "c.bin": strings.Repeat("x", 1500), "sub/": "", "Zoo/": "",
		".hidden": "", ".git/config": "", "inner/page": "",
	})
	setTime(t, dir, "b.txt", past.Add(time.Hour))
	must(t, os.Symlink("b.txt", filepath.Join(dir, "link")))
	must(t, os.Symlink(".hidden", filepath.Join(dir, "link-to-hidden")))
	must(t, os.Symlink("inner", filepath.Join(dir, "link-to-folder")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	h, _ := open(t, static.Config{Roots: []string{dir}, Listing: true})
	folders := []string{"./inner/", "./sub/", "./Zoo/"}
	tests := []struct {
		name, sort string
		want       []string // behind the folders
	}{
		{"by name", "", []string{"./A.txt", "./b.txt", "./c.bin"}},
		{"by name, in words", "name", []string{"./A.txt", "./b.txt", "./c.bin"}},
		{"by name, backwards", "-name", []string{"./c.bin", "./b.txt", "./A.txt"}},
		{"by size", "size", []string{"./b.txt", "./A.txt", "./c.bin"}},
		{"by size, backwards", "-size", []string{"./c.bin", "./A.txt", "./b.txt"}},
		{"by time, backwards", "-time", []string{"./b.txt", "./A.txt", "./c.bin"}},
		{"by time", "time", []string{"./A.txt", "./c.bin", "./b.txt"}},
		{"by nonsense", "\"><script>", []string{"./A.txt", "./b.txt", "./c.bin"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/")
			query := r.URL.Query()
			query.Set("sort", tt.sort)
			r.URL.RawQuery = query.Encode()
			w, _ := both(t, h, r)
			got := hrefs(w.Body.String())
			slices.Sort(got[:len(folders)]) // by time or size they are all alike
			if want := append(slices.Sorted(slices.Values(folders)), tt.want...); w.Code != 200 || !slices.Equal(got, want) {
				t.Errorf("%d, links %q, want %q", w.Code, got, want)
			}
		})
	}
	follow, _ := open(t, static.Config{Roots: []string{dir}, Listing: true, FollowSymlinks: true})
	got := hrefs(get(follow, "/").Body.String())
	if !slices.Contains(got, "./link") || !slices.Contains(got, "./link-to-folder/") || slices.Contains(got, "./link-to-hidden") {
		t.Errorf("following links: %q", got)
	}
	w := get(h, "/sub/")
	if body := w.Body.String(); !slices.Equal(hrefs(body), []string{"../"}) || !strings.Contains(body, "0 folders, 0 files") {
		t.Errorf("empty folder: %s", body)
	}
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "Vary": "Accept", "X-Content-Type-Options": "nosniff"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	off, _ := open(t, static.Config{Roots: []string{dir}})
	if w := get(off, "/sub/"); w.Code != 404 {
		t.Errorf("without listings: status %d, want 404", w.Code)
	}
}

// TestListingShowsWhatIsServed follows each link of listings whose folders hold
// all that names can be.
func TestListingShowsWhatIsServed(t *testing.T) {
	names := []string{
		"plain", "a b", "a%20b", "a?b", "a#b", "a&b;", `q"u'o`, "<script>alert(1)</script>", "a:b", "back\\slash", "line\nbreak", "tab\t",
		"\xff\xfe", "日本", "javascript:alert(1)", "x..", "%2e", "~backup", "{{.}}", "+", "\u202egnp.exe", "=", "&lt;", "-", "http:",
	}
	content := files{}
	for i, name := range names {
		content[name] = strconv.Itoa(i)
		content["folder "+name+"/file"] = "in " + strconv.Itoa(i)
	}
	h, _ := open(t, static.Config{Roots: []string{folder(t, content)}, Listing: true})
	body := get(h, "/").Body.String()
	if strings.Contains(body, "<script") {
		t.Errorf("a name is not escaped:\n%s", body)
	}
	links := hrefs(body)
	if len(links) != 2*len(names) {
		t.Errorf("%d links for %d names", len(links), 2*len(names))
	}
	for _, link := range links {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://host/", nil)
		must(t, err)
		r.URL, err = r.URL.Parse(link)
		if err != nil || r.URL.Host != "host" || r.URL.RawQuery != "" || r.URL.Fragment != "" {
			t.Errorf("%q leads to %v (%v)", link, r.URL, err)
			continue
		}
		if w := get(h, r.URL.Path); w.Code != 200 {
			t.Errorf("%q: status %d", link, w.Code)
		}
	}
}

func TestListingAsJSON(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"a.txt": "12", "sub/": "", "\xff": "", ".env": ""})}, Listing: true})
	tests := []struct {
		name, accept string
		json         bool
	}{
		{"asked for", "application/json", true},
		{"asked for first", "application/json, text/html;q=0.9", true},
		{"in capitals", "Application/JSON", true},
		{"browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
		{"curl", "*/*", false},
		{"both alike", "text/html, application/json", false},
		{"refused", "application/json;q=0", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, "/", "Accept", tt.accept)
			if got := w.Header().Get("Content-Type") == "application/json"; got != tt.json {
				t.Errorf("Content-Type = %q", w.Header().Get("Content-Type"))
			}
		})
	}
	var got struct {
		Path    string
		Entries []struct {
			Name, URL, Type string
			Size            int64
			Modified        time.Time
		}
	}
	must(t, json.Unmarshal(get(h, "/", "Accept", "application/json").Body.Bytes(), &got))
	if got.Path != "/" || len(got.Entries) != 3 {
		t.Fatalf("%+v", got)
	}
	if e := got.Entries[0]; e.Name != "sub" || e.Type != "directory" || e.URL != "./sub/" {
		t.Errorf("folder: %+v", e)
	}
	if e := got.Entries[1]; e.Name != "a.txt" || e.Type != "file" || e.Size != 2 || !e.Modified.Equal(past.Truncate(time.Second)) {
		t.Errorf("file: %+v", e)
	}
	if e := got.Entries[2]; e.Name != "\uFFFD" || e.URL != "./%FF" {
		t.Errorf("name that is not UTF-8: %+v", e)
	}
}

func TestListingOfManyRoots(t *testing.T) {
	h, _ := open(t, static.Config{Listing: true, Roots: []string{
		folder(t, files{"sub/a": "1", "sub/b": "1"}), folder(t, files{"sub/b": "22", "sub/c": ""}), folder(t, files{"other": ""}),
	}})
	body := get(h, "/sub/").Body.String()
	if got := hrefs(body); !slices.Equal(got, []string{"../", "./a", "./b", "./c"}) {
		t.Errorf("links = %q", got)
	}
	if !strings.Contains(body, `title="1 byte"`) || strings.Contains(body, `title="2 bytes"`) {
		t.Errorf("b is not the first root's:\n%s", body)
	}
}

func TestListingOfTooMany(t *testing.T) {
	dir := t.TempDir()
	for i := range static.MaxEntries + 10 {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%05d", i)))
		must(t, err)
		must(t, f.Close())
	}
	h, _ := open(t, static.Config{Roots: []string{dir}, Listing: true})
	body := get(h, "/").Body.String()
	if n := len(hrefs(body)); n != static.MaxEntries || !strings.Contains(body, "holds more than can be shown") {
		t.Errorf("%d entries, want %d and a word about the others", n, static.MaxEntries)
	}
}

func TestListingCrumbs(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"a/b <i>/c/": ""})}, Listing: true, Prefix: "/files/"})
	body := get(h, "/files/a/b <i>/c/").Body.String()
	want := `<a href="../../../">files</a> <span>/</span> <a href="../../">a</a> <span>/</span> <a href="../">b &lt;i&gt;</a> <span>/</span> c`
	if !strings.Contains(body, want) {
		t.Errorf("no %s in\n%s", want, body)
	}
}

func TestHumanSizes(t *testing.T) {
	content := files{}
	want := map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9960: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 1_234_567: "1.2 MB"}
	dir := folder(t, content)
	for size := range want {
		must(t, os.WriteFile(filepath.Join(dir, strconv.FormatInt(size, 10)), nil, 0o644))
		must(t, os.Truncate(filepath.Join(dir, strconv.FormatInt(size, 10)), size))
	}
	h, _ := open(t, static.Config{Roots: []string{dir}, Listing: true})
	body := get(h, "/").Body.String()
	for size, human := range want {
		row := regexp.MustCompile(`<a href="./` + strconv.FormatInt(size, 10) + `">.*`).FindString(body)
		if !strings.Contains(row, ">"+human+"</td>") {
			t.Errorf("%d bytes: want %s in %s", size, human, row)
		}
	}
	if !strings.Contains(body, "title=\"1\u202f234\u202f567 bytes\"") {
		t.Error("the exact size is not in a title")
	}
}
