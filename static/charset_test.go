package static_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestCharset(t *testing.T) {
	const gbk = "\xc4\xe3\xba\xc3" // 你好
	ascii := strings.Repeat("a", static.Sample)
	tests := []struct {
		name, body string
		whole      bool
		html       bool
		want       string
	}{
		{"nothing", "", true, false, "utf-8"},
		{"ASCII, whole", "plain", true, false, "utf-8"},
		{"ASCII, with more to come", ascii, false, false, ""},
		{"UTF-8", "grün", true, false, "utf-8"},
		{"UTF-8, with more to come", "ü" + ascii[2:], false, false, "utf-8"},
		{"UTF-8, cut in a character", ascii[2:] + "ü"[:1] + "", false, false, "utf-8"},
		{"UTF-8, the whole file cut in a character", "a\xc3", true, false, ""},
		{"not UTF-8", gbk, true, false, ""},
		{"not UTF-8 at the end", ascii[1:] + "\xff", false, false, ""},
		{"mark of UTF-8", "\xef\xbb\xbf<meta charset=gbk>", true, true, "utf-8"},
		{"mark of UTF-16, little", "\xff\xfea\x00", true, true, "utf-16le"},
		{"mark of UTF-16, big", "\xfe\xff\x00a", true, true, "utf-16be"},
		{"meta", "<html><meta charset=gbk>" + gbk, true, true, "gbk"},
		{"meta with quotes", `<meta charset="GB18030">`, true, true, "GB18030"},
		{"meta with single quotes and space", "<META\n CharSet = ' gbk ' />", true, true, "gbk"},
		{"meta that ends itself", "<meta charset=gbk/>", true, true, "utf-8"},
		{"http-equiv", `<meta http-equiv="Content-Type" content="text/html; charset=gb2312">`, true, true, "gb2312"},
		{"http-equiv, turned around, with inner quotes", `<meta content='text/html;charset="big5"' http-equiv=content-type>`, true, true, "big5"},
		{"content without http-equiv", `<meta name=description content="of charset=gbk">`, true, true, "utf-8"},
		{"http-equiv of something else", `<meta http-equiv=refresh content="0; charset=gbk">`, true, true, "utf-8"},
		{"second meta", `<meta name=viewport content="width=1"><meta charset=gbk>`, true, true, "gbk"},
		{"meta in a comment", `<!-- <meta charset=koi8-r> --><meta charset=gbk>`, true, true, "gbk"},
		{"meta in a comment without end", `<!-- <meta charset=koi8-r>`, true, true, "utf-8"},
		{"behind bytes that ToLower would change", "\xc4\xe3\u0130<meta charset=gbk>", true, true, "gbk"},
		{"meta too far down", strings.Repeat(" ", 1024) + "<meta charset=gbk>" + gbk, true, true, ""},
		{"meta cut off", strings.Repeat(" ", 1010) + "<meta charset=gbk>" + gbk, true, true, ""},
		{"meta that says UTF-16", "<meta charset=utf-16le>ü", true, true, "utf-8"},
		{"name with a line end", "<meta charset='gbk\r\nX: y'>" + gbk, true, true, ""},
		{"name too long", "<meta charset=" + strings.Repeat("x", 41) + ">" + gbk, true, true, ""},
		{"meta in plain text", "<meta charset=gbk>", true, false, "utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := static.CharsetOf([]byte(tt.body), tt.whole, tt.html); got != tt.want {
				t.Errorf("charset = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestGBKPages is a site whose pages are written in GBK and say so.
func TestGBKPages(t *testing.T) {
	page := "<html><head><meta charset=gbk></head><body>\xc4\xe3\xba\xc3</body></html>"
	dir := folder(t, files{"index.html": page, "plain.txt": "\xc4\xe3\xba\xc3", "a.js": "x", "a.png": "x"})
	h, _ := open(t, static.Config{Roots: []string{dir}})
	w := get(h, "/")
	if w.Body.String() != page || w.Header().Get("Content-Type") != "text/html; charset=gbk" {
		t.Errorf("page: %q %q", w.Header().Get("Content-Type"), w.Body)
	}
	if got := get(h, "/plain.txt").Header().Get("Content-Type"); got != "text/plain" {
		t.Errorf("text that says nothing: %q, want no charset", got)
	}
	set, _ := open(t, static.Config{Roots: []string{dir}, Charset: "gbk"})
	for path, want := range map[string]string{
		"/": "text/html; charset=gbk", "/plain.txt": "text/plain; charset=gbk", "/a.js": "text/javascript; charset=gbk", "/a.png": "image/png",
	} {
		if got := get(set, path).Header().Get("Content-Type"); got != want {
			t.Errorf("charset set: %s: %q, want %q", path, got, want)
		}
	}
}

func FuzzCharset(f *testing.F) {
	for _, seed := range []string{`<meta charset="gbk">`, `<meta http-equiv=content-type content="a;charset=x">`, "<!--<meta", "\xef\xbb\xbf", "<meta charset=\r\n"} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, whole bool) {
		for _, html := range []bool{false, true} {
			name := static.CharsetOf(body, whole, html)
			if strings.ContainsAny(name, "\r\n\x00;\" ") {
				t.Fatalf("%q cannot stand in a field", name)
			}
			if !html && name != "" && name != "utf-8" && !strings.HasPrefix(name, "utf-16") {
				t.Errorf("%q without a page that says so", name)
			}
		}
	})
}
