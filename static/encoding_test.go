package static_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestNegotiation(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{
		"all.js":      "0123456789",
		"all.js.br":   "br",
		"all.js.zst":  "zst",
		"all.js.gz":   "gzip",
		"gz.css":      "0123456789",
		"gz.css.gz":   "gzip",
		"same.txt":    "0123",
		"same.txt.gz": "gzip", "same.txt.br": "brbr",
		"grown.txt": "01", "grown.txt.gz": "gzip",
		"none.html":     "0123456789",
		"empty.html":    "0123456789",
		"empty.html.gz": "",
	})}})
	tests := []struct {
		name, path, accept string
		want               string // coding
	}{
		{"browser", "/all.js", "gzip, deflate, br, zstd", "br"},
		{"browser, only gzip there", "/gz.css", "gzip, deflate, br, zstd", "gzip"},
		{"nothing there", "/none.html", "gzip, deflate, br, zstd", ""},
		{"said nothing", "/all.js", "-", ""},
		{"empty field", "/all.js", "", ""},
		{"identity", "/all.js", "identity", ""},
		{"not understood", "/all.js", "deflate, compress", ""},
		{"star", "/all.js", "*", "br"},
		{"star but", "/all.js", "*, br;q=0", "zstd"},
		{"likes one more", "/all.js", "br;q=0.5, gzip;q=0.8", "gzip"},
		{"identity liked more", "/all.js", "br;q=0.5, identity;q=0.8", ""},
		{"identity liked less", "/all.js", "br;q=0.5, identity;q=0.4", "br"},
		{"refused", "/all.js", "br;q=0, gzip;q=0.000, zstd;q=0.0", ""},
		{"everything refused", "/all.js", "*;q=0", ""},
		{"identity refused", "/all.js", "gzip, identity;q=0", "gzip"},
		{"identity refused, nothing else there", "/none.html", "gzip, identity;q=0", ""},
		{"in capitals", "/all.js", "GZIP", "gzip"},
		{"old name", "/all.js", "x-gzip", "gzip"},
		{"space", "/all.js", " gzip ; q=1 ", "gzip"},
		{"malformed weight", "/all.js", "br;q=2, gzip", "gzip"},
		{"malformed weights only", "/all.js", "br;q=, zstd;q=0.1234, gzip;q=x", ""},
		{"part of a name", "/all.js", "gzipp, xbr", ""},
		{"of equal size the first", "/same.txt", "gzip, br", "br"},
		{"neighbour larger, not asked whether", "/grown.txt", "gzip", "gzip"},
		{"empty neighbour", "/empty.html", "gzip", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", tt.path, "Accept-Encoding", tt.accept)
			if tt.accept == "-" {
				r.Header.Del("Accept-Encoding")
			}
			w, _ := both(t, h, r)
			if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != tt.want {
				t.Errorf("%d, Content-Encoding = %q, want %q", w.Code, got, tt.want)
			}
			wantVary := "Accept-Encoding"
			if tt.path == "/none.html" || tt.path == "/empty.html" {
				wantVary = ""
			}
			if got := w.Header().Get("Vary"); got != wantVary {
				t.Errorf("Vary = %q, want %q", got, wantVary)
			}
		})
	}
}

func TestTagsDifferByCoding(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"a.js": "same", "a.js.gz": "same", "a.js.br": "same"})}})
	seen := map[string]string{}
	for _, coding := range []string{"identity", "gzip", "br"} {
		w := get(h, "/a.js", "Accept-Encoding", coding)
		tag := w.Header().Get("ETag")
		if other, ok := seen[tag]; ok || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s has the tag %s, as has %q", coding, tag, other)
		}
		seen[tag] = coding
		if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("%s: Content-Type = %q", coding, got)
		}
		if w := get(h, "/a.js", "Accept-Encoding", coding, "If-None-Match", tag); w.Code != 304 || w.Header().Get("Vary") == "" {
			t.Errorf("%s: revalidated: %d %v", coding, w.Code, w.Header())
		}
	}
}

// TestNeighboursComeAndGo: what lies beside a file counts as it is now.
func TestNeighboursComeAndGo(t *testing.T) {
	dir := folder(t, files{"a.js": "original"})
	h, k := open(t, static.Config{Roots: []string{dir}})
	at := filepath.Join(dir, "a.js.gz")
	expect := func(when, want string) {
		t.Helper()
		k.advance(static.Confirm)
		if w := get(h, "/a.js", "Accept-Encoding", "gzip"); w.Body.String() != want {
			t.Errorf("%s: %q, want %q", when, w.Body, want)
		}
	}
	expect("at first", "original")
	fill(t, dir, files{"a.js.gz": "packed"})
	expect("packed", "packed")
	must(t, os.Chtimes(at, past.Add(-2*time.Second), past.Add(-2*time.Second)))
	expect("older than the file", "original")
	must(t, os.Chtimes(at, past.Truncate(time.Second), past.Truncate(time.Second)))
	expect("older by what a second has", "packed")
	must(t, os.Remove(at))
	expect("gone", "original")
	must(t, os.Symlink("a.js", at))
	expect("a link", "original")
}

func TestCompressedPictures(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{"a.svgz": "packed", "b.svg.gz": "packed"})}})
	w := get(h, "/a.svgz")
	if w.Header().Get("Content-Type") != "image/svg+xml" || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("svgz: %v", w.Header())
	}
	w = get(h, "/b.svg.gz")
	if w.Header().Get("Content-Type") != "application/gzip" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a neighbour by its own name: %v", w.Header())
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip, deflate, br, zstd", "br;q=0.5,*;q=0", "identity;q=0, gzip;q=1.000", ";;q=,=", "*", "gzip;Q=0.1;x=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		weights := static.Acceptances([]string{line})
		for i, coding := range []string{"identity", "br", "zstd", "gzip"} {
			weight := weights[i]
			if weight < 0 || weight > 1000 {
				t.Fatalf("weight %d of %s", weight, coding)
			}
			if i > 0 && weight > 0 && !strings.Contains(strings.ToLower(line), coding) && !strings.Contains(line, "*") {
				t.Errorf("%s is accepted with %d though nobody named it", coding, weight)
			}
			// Lines of one field are one list.
			if split := static.Acceptances(strings.SplitAfter(line, ",")); split != weights {
				t.Errorf("%v in one line, %v in several", weights, split)
			}
			if got := static.Acceptances([]string{line, coding + ";q=1"})[i]; got != 1000 {
				t.Errorf("%s: weight %d though it is named with 1", coding, got)
			}
		}
	})
}
