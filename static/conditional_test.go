package static_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestPreconditions(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{
		"small.html": "<p>page", "large.bin": strings.Repeat("x", static.DefaultCacheFile+1),
	})}})
	const other = `"other"`
	before, same, after := past.Add(-time.Hour).Format(http.TimeFormat), past.Format(http.TimeFormat), past.Add(time.Hour).Format(http.TimeFormat)
	for _, path := range []string{"/small.html", "/large.bin"} {
		tag := get(h, path).Header().Get("ETag")
		if tag == "" || tag[0] != '"' {
			t.Fatalf("%s: ETag = %q, want a strong one", path, tag)
		}
		tests := []struct {
			name   string
			fields []string
			status int
		}{
			{"none", nil, 200},
			{"If-None-Match, the same", []string{"If-None-Match", tag}, 304},
			{"If-None-Match, the same but weak", []string{"If-None-Match", "W/" + tag}, 304},
			{"If-None-Match, another", []string{"If-None-Match", other}, 200},
			{"If-None-Match, in a list", []string{"If-None-Match", other + ", W/\"x\" ,," + tag}, 304},
			{"If-None-Match, on a second line", []string{"If-None-Match", other, "If-None-Match", tag}, 304},
			{"If-None-Match, star", []string{"If-None-Match", "*"}, 304},
			{"If-None-Match, without quotes", []string{"If-None-Match", strings.Trim(tag, `"`)}, 200},
			{"If-None-Match, cut off", []string{"If-None-Match", tag[:len(tag)-1]}, 200},
			{"If-None-Match before If-Modified-Since", []string{"If-None-Match", other, "If-Modified-Since", same}, 200},
			{"If-Modified-Since, then", []string{"If-Modified-Since", same}, 304},
			{"If-Modified-Since, later", []string{"If-Modified-Since", after}, 304},
			{"If-Modified-Since, earlier", []string{"If-Modified-Since", before}, 200},
			{"If-Modified-Since, no date", []string{"If-Modified-Since", "yesterday"}, 200},
			{"If-Modified-Since, twice", []string{"If-Modified-Since", same, "If-Modified-Since", same}, 200},
			{"If-Modified-Since, old form", []string{"If-Modified-Since", past.Format(time.ANSIC)}, 304},
			{"If-Match, the same", []string{"If-Match", tag}, 200},
			{"If-Match, weak", []string{"If-Match", "W/" + tag}, 412},
			{"If-Match, another", []string{"If-Match", other}, 412},
			{"If-Match, star", []string{"If-Match", "*"}, 200},
			{"If-Match before If-None-Match", []string{"If-Match", other, "If-None-Match", tag}, 412},
			{"If-Match and then If-None-Match", []string{"If-Match", tag, "If-None-Match", tag}, 304},
			{"If-Match before If-Unmodified-Since", []string{"If-Match", tag, "If-Unmodified-Since", before}, 200},
			{"If-Unmodified-Since, then", []string{"If-Unmodified-Since", same}, 200},
			{"If-Unmodified-Since, earlier", []string{"If-Unmodified-Since", before}, 412},
			{"If-Unmodified-Since, no date", []string{"If-Unmodified-Since", "x"}, 200},
			{"If-Unmodified-Since and then If-None-Match", []string{"If-Unmodified-Since", same, "If-None-Match", tag}, 304},
			{"Range after a precondition that fails", []string{"If-Match", other, "Range", "bytes=0-0"}, 412},
			{"Range after not modified", []string{"If-None-Match", tag, "Range", "bytes=0-0"}, 304},
			{"Range after a precondition that holds", []string{"If-Match", tag, "Range", "bytes=0-0"}, 206},
			{"If-Range without Range", []string{"If-Range", other}, 200},
		}
		for _, tt := range tests {
			t.Run(path[1:]+" "+tt.name, func(t *testing.T) {
				for _, method := range []string{"GET", "HEAD"} {
					want := tt.status
					if want == 206 && method == "HEAD" {
						want = 200
					}
					r := request(method, path, tt.fields...)
					if want == 412 {
						if w := get(h, path, tt.fields...); w.Code != want {
							t.Errorf("%s: status %d, want %d", method, w.Code, want)
						}
						continue
					}
					w, _ := both(t, h, r)
					if w.Code != want {
						t.Errorf("%s: status %d, want %d", method, w.Code, want)
					}
					if w.Code == 304 && (w.Body.Len() != 0 || w.Header().Get("ETag") != tag || w.Header().Get("Content-Type") != "") {
						t.Errorf("%s: 304 with %d bytes and %v", method, w.Body.Len(), w.Header())
					}
				}
			})
		}
	}
}

func TestTimesWithoutMeaning(t *testing.T) {
	dir := folder(t, files{"built": "reproducible", "future": "from tomorrow"})
	h, k := open(t, static.Config{Roots: []string{dir}})
	setTime(t, dir, "built", time.Unix(1, 0))
	setTime(t, dir, "future", k.now().Add(24*time.Hour))
	w := get(h, "/built", "If-Modified-Since", past.Format(http.TimeFormat))
	if w.Code != 200 || w.Header().Get("Last-Modified") != "" {
		t.Errorf("a time that a build tool made up: %d %v, want 200 without Last-Modified", w.Code, w.Header())
	}
	modified, err := http.ParseTime(get(h, "/future").Header().Get("Last-Modified"))
	if err != nil || modified.After(k.now()) {
		t.Errorf("Last-Modified = %v (%v), want nothing later than now", modified, err)
	}
}

func TestEntityTag(t *testing.T) {
	for s, want := range map[string]string{
		`"a"`: `"a"`, `W/"a" x`: `W/"a"`, `""`: `""`, `"a`: ``, `a`: ``, `w/"a"`: ``, `W/`: ``, ``: ``,
		"\"a b\"": ``, "\"\x80\xff\"": "\"\x80\xff\"", "\"\x7f\"": ``, "\"a,b\"": "\"a,b\"",
	} {
		if got := static.EntityTag(s); got != want {
			t.Errorf("EntityTag(%q) = %q, want %q", s, got, want)
		}
	}
}
