package static_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestParseRange(t *testing.T) {
	many := func(n int) string { return "bytes=" + strings.TrimSuffix(strings.Repeat("0-0,", n), ",") }
	tests := []struct {
		name, field string
		size        int64
		verdict     static.RangeVerdict
		want        string // start+length of each part
	}{
		{"first bytes", "bytes=0-4", 10, static.RangeSatisfiable, "0+5"},
		{"one byte", "bytes=9-9", 10, static.RangeSatisfiable, "9+1"},
		{"from a place on", "bytes=3-", 10, static.RangeSatisfiable, "3+7"},
		{"behind the end", "bytes=5-99", 10, static.RangeSatisfiable, "5+5"},
		{"suffix", "bytes=-3", 10, static.RangeSatisfiable, "7+3"},
		{"suffix larger than the file", "bytes=-99", 10, static.RangeSatisfiable, "0+10"},
		{"several", "bytes=0-0, 5-6 ,-1", 10, static.RangeSatisfiable, "0+1 5+2 9+1"},
		{"out of order", "bytes=5-6,0-1", 10, static.RangeSatisfiable, "5+2 0+2"},
		{"empty elements", "bytes=,0-0,,", 10, static.RangeSatisfiable, "0+1"},
		{"unit in capitals", "Bytes=0-0", 10, static.RangeSatisfiable, "0+1"},
		{"some behind the end", "bytes=20-,0-0", 10, static.RangeSatisfiable, "0+1"},
		{"number beyond all numbers", "bytes=0-99999999999999999999999", 10, static.RangeSatisfiable, "0+10"},
		{"start beyond all numbers", "bytes=99999999999999999999999-", 10, static.RangeNot, ""},
		{"all behind the end", "bytes=10-,11-12", 10, static.RangeNot, ""},
		{"suffix of nothing", "bytes=-0", 10, static.RangeNot, ""},
		{"most parts allowed", many(static.MaxRanges), 1000, static.RangeSatisfiable, strings.TrimSpace(strings.Repeat("0+1 ", static.MaxRanges))},
		{"one part too many", many(static.MaxRanges + 1), 1000, static.RangeIgnored, ""},
		{"overlaps that are the whole", "bytes=0-4,0-4", 10, static.RangeSatisfiable, "0+5 0+5"},
		{"overlaps that are more", "bytes=0-4,0-5", 10, static.RangeIgnored, ""},
		{"other unit", "lines=0-4", 10, static.RangeIgnored, ""},
		{"no unit", "0-4", 10, static.RangeIgnored, ""},
		{"no part", "bytes=", 10, static.RangeIgnored, ""},
		{"only commas", "bytes=,,", 10, static.RangeIgnored, ""},
		{"backwards", "bytes=5-4", 10, static.RangeIgnored, ""},
		{"one part malformed", "bytes=0-0,x", 10, static.RangeIgnored, ""},
		{"signs", "bytes=+1-2", 10, static.RangeIgnored, ""},
		{"suffix with a sign", "bytes=--1", 10, static.RangeIgnored, ""},
		{"space inside", "bytes=1 - 2", 10, static.RangeIgnored, ""},
		{"nothing but a dash", "bytes=-", 10, static.RangeIgnored, ""},
		{"empty file", "bytes=0-", 0, static.RangeIgnored, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ranges, verdict := static.ParseRange([]string{tt.field}, tt.size)
			var got []string
			for _, r := range ranges {
				start, length := r.Bounds()
				got = append(got, fmt.Sprintf("%d+%d", start, length))
			}
			if verdict != tt.verdict || strings.Join(got, " ") != tt.want {
				t.Errorf("%q: verdict %d, parts %v; want %d, %s", tt.field, verdict, got, tt.verdict, tt.want)
			}
		})
	}
	if _, verdict := static.ParseRange([]string{"bytes=0-0", "bytes=1-1"}, 10); verdict != static.RangeIgnored {
		t.Error("two Range fields are not ignored")
	}
}

// rangeSizes are a body that is served from memory and one that is not.
func rangeSizes() map[string]int {
	return map[string]int{"/small": 1000, "/large": static.DefaultCacheFile + 1000}
}

func rangeSite(t testing.TB) (*static.Handler, map[string]string) {
	bodies := map[string]string{}
	content := files{}
	for path, size := range rangeSizes() {
		var b strings.Builder
		for b.Len() < size {
			fmt.Fprintf(&b, "%07d,", b.Len())
		}
		bodies[path] = b.String()[:size]
		content[path[1:]] = bodies[path]
	}
	h, _ := open(t, static.Config{Roots: []string{folder(t, content)}})
	return h, bodies
}

func TestRangeResponses(t *testing.T) {
	h, bodies := rangeSite(t)
	for path, body := range bodies {
		size := len(body)
		t.Run("single "+path[1:], func(t *testing.T) {
			w, _ := both(t, h, request("GET", path, "Range", "bytes=10-29"))
			if w.Code != 206 || w.Body.String() != body[10:30] {
				t.Errorf("%d %q", w.Code, w.Body)
			}
			if got, want := w.Header().Get("Content-Range"), fmt.Sprintf("bytes 10-29/%d", size); got != want {
				t.Errorf("Content-Range = %q, want %q", got, want)
			}
			if w.Header().Get("Content-Length") != "20" || w.Header().Get("ETag") == "" || w.Header().Get("Last-Modified") == "" {
				t.Errorf("fields = %v", w.Header())
			}
		})
		t.Run("several "+path[1:], func(t *testing.T) {
			w, _ := both(t, h, request("GET", path, "Range", "bytes=0-4,-5,100-100"))
			if got := w.Header().Get("Content-Length"); w.Code != 206 || got != strconv.Itoa(w.Body.Len()) {
				t.Fatalf("%d, Content-Length %s for %d bytes", w.Code, got, w.Body.Len())
			}
			kind, parameters, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
			if err != nil || kind != "multipart/byteranges" || w.Header().Get("Content-Range") != "" {
				t.Fatalf("Content-Type %q (%v), Content-Range %q", kind, err, w.Header().Get("Content-Range"))
			}
			reader := multipart.NewReader(w.Body, parameters["boundary"])
			for _, want := range []struct{ contentRange, body string }{
				{fmt.Sprintf("bytes 0-4/%d", size), body[:5]},
				{fmt.Sprintf("bytes %d-%d/%d", size-5, size-1, size), body[size-5:]},
				{fmt.Sprintf("bytes 100-100/%d", size), body[100:101]},
			} {
				part, err := reader.NextPart()
				must(t, err)
				got, err := io.ReadAll(part)
				must(t, err)
				if part.Header.Get("Content-Range") != want.contentRange || string(got) != want.body || !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
					t.Errorf("part %v %q, want %s %q", part.Header, got, want.contentRange, want.body)
				}
			}
			if _, err := reader.NextPart(); err != io.EOF {
				t.Errorf("after the last part: %v", err)
			}
		})
		t.Run("unsatisfiable "+path[1:], func(t *testing.T) {
			w := get(h, path, "Range", fmt.Sprintf("bytes=%d-", size))
			if got, want := w.Header().Get("Content-Range"), fmt.Sprintf("bytes */%d", size); w.Code != 416 || got != want {
				t.Errorf("%d, Content-Range %q; want 416, %q", w.Code, got, want)
			}
		})
		t.Run("HEAD "+path[1:], func(t *testing.T) {
			w, _ := both(t, h, request("HEAD", path, "Range", "bytes=0-0"))
			if w.Code != 200 || w.Header().Get("Content-Length") != strconv.Itoa(size) {
				t.Errorf("%d, Content-Length %s; Range means nothing with HEAD", w.Code, w.Header().Get("Content-Length"))
			}
		})
		t.Run("If-Range "+path[1:], func(t *testing.T) {
			whole := get(h, path)
			tag, date := whole.Header().Get("ETag"), whole.Header().Get("Last-Modified")
			for condition, want := range map[string]int{
				tag: 206, date: 206, "W/" + tag: 200, `"other"`: 200, "yesterday": 200,
				past.Add(time.Second).Format(http.TimeFormat): 200, past.Add(-time.Second).Format(http.TimeFormat): 200,
			} {
				if w := get(h, path, "Range", "bytes=0-0", "If-Range", condition); w.Code != want {
					t.Errorf("If-Range: %s: status %d, want %d", condition, w.Code, want)
				}
			}
		})
	}
}

// FuzzRange asks for ranges of one body from this package and from
// http.ServeContent: what both answer with parts must be the same parts. What
// they may see differently stands in rangeDivergence.
func FuzzRange(f *testing.F) {
	h, bodies := rangeSite(f)
	for _, seed := range []string{
		"bytes=0-4", "bytes=-5", "bytes=5-", "bytes=0-0,5-9,-1", "bytes=5-4", "bytes=1000-", "bytes=0-99999999999999999999",
		"bytes=-0", "BYTES=0-1", "bytes=0-1,2", "bytes= 1-2 ", "bytes=0-999,0-999", "lines=1-2", "bytes=0-1,,3-4",
	} {
		f.Add(seed)
	}
	body := bodies["/small"]
	f.Fuzz(func(t *testing.T, field string) {
		if strings.ContainsAny(field, "\r\n\x00") {
			return // no field can hold these
		}
		ours := get(h, "/small", "Range", field)
		theirs := httptest.NewRecorder()
		theirs.Header().Set("Content-Type", "text/plain")
		http.ServeContent(theirs, request("GET", "/small", "Range", field), "", past, strings.NewReader(body))

		if got := ours.Header().Get("Content-Length"); got != strconv.Itoa(ours.Body.Len()) {
			t.Fatalf("Content-Length %s for %d bytes", got, ours.Body.Len())
		}
		if !rangeGrammar.MatchString(field) {
			if ours.Code != 200 {
				t.Errorf("malformed and answered with %d", ours.Code)
			}
			return // they mend some, and refuse others
		}
		switch ours.Code {
		case 200:
			if ours.Body.String() != body {
				t.Fatalf("200 with %d bytes", ours.Body.Len())
			}
		case 206:
			if parts(t, ours) != parts(t, theirs) && !rangeDivergence(field, ours.Code, theirs.Code) {
				t.Errorf("parts differ: %s\n%s", parts(t, ours), parts(t, theirs))
			}
			return
		case 416:
		default:
			t.Fatalf("status %d", ours.Code)
		}
		if ours.Code != theirs.Code && !rangeDivergence(field, ours.Code, theirs.Code) {
			t.Errorf("status %d, http.ServeContent %d", ours.Code, theirs.Code)
		}
	})
}

var (
	// rangeGrammar is section 14.1.2 with the list rule of section 5.6.1.2.
	rangeGrammar = regexp.MustCompile(`^[ \t]*(?i:bytes)[ \t]*=([ \t]*([0-9]+-[0-9]*|-[0-9]+)?[ \t]*(,|$))+$`)
	// emptySuffix is a part of no bytes, which http.ServeContent sends as one.
	emptySuffix = regexp.MustCompile(`[=,][ \t]*-0+[ \t]*(,|$)`)
	// overflowing is a number that http.ServeContent has no type for.
	overflowing = regexp.MustCompile(`[0-9]{19}`)
	// distant begins behind the body: http.ServeContent does not look further,
	// whether the part be backwards.
	distant = regexp.MustCompile(`[0-9]{4,}-[0-9]`)
)

// rangeDivergence reports whether the two statuses for field, which is well
// formed, differ in one of the ways that are meant.
func rangeDivergence(field string, ours, theirs int) bool {
	switch {
	case ours == 200 && theirs == 416:
		return true // a part that is backwards: ignored, where they refuse
	case ours == 200 && theirs == 206:
		return strings.Count(field, ",") >= static.MaxRanges || distant.MatchString(field)
	case theirs == 416:
		return overflowing.MatchString(field) || !strings.HasPrefix(field, "bytes=")
	}
	return emptySuffix.MatchString(field)
}

// parts writes down what the parts of a 206 are, whatever the boundary.
func parts(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Code != 206 {
		return fmt.Sprintf("status %d", w.Code)
	}
	kind, parameters, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	must(t, err)
	if kind != "multipart/byteranges" {
		return w.Header().Get("Content-Range") + " " + w.Body.String()
	}
	reader := multipart.NewReader(bytes.NewReader(w.Body.Bytes()), parameters["boundary"])
	var all strings.Builder
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return all.String()
		}
		must(t, err)
		body, err := io.ReadAll(part)
		must(t, err)
		fmt.Fprintf(&all, "%s %s\n", part.Header.Get("Content-Range"), body)
	}
}
