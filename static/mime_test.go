package static_test

import (
	"mime"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestContentType(t *testing.T) {
	tests := []struct {
		file, body, want string
	}{
		{"a.html", "", "text/html; charset=utf-8"},
		{"A.HTML", "", "text/html; charset=utf-8"},
		{"a.css", "", "text/css; charset=utf-8"},
		{"a.mjs", "", "text/javascript; charset=utf-8"},
		{"a.json", "ü", "application/json"},
		{"a.js.map", "", "application/json"},
		{"a.webmanifest", "", "application/manifest+json"},
		{"a.svg", "", "image/svg+xml"},
		{"a.xml", "", "application/xml"},
		{"a.wasm", "", "application/wasm"},
		{"a.woff2", "", "font/woff2"},
		{"a.avif", "", "image/avif"},
		{"a.gif", "", "image/gif"},
		{"a.jpeg", "", "image/jpeg"},
		{"favicon.ico", "", "image/vnd.microsoft.icon"},
		{"a.mp4", "", "video/mp4"},
		{"a.mp3", "", "audio/mpeg"},
		{"a.doc", "", "application/msword"},
		{"a.docx", "", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"a.ods", "", "application/vnd.oasis.opendocument.spreadsheet"},
		{"a.pdf", "", "application/pdf"},
		{"a.tar.gz", "", "application/gzip"},
		{"a.py", "print()", "text/plain; charset=utf-8"},
		{"README", "read me", "text/plain; charset=utf-8"},
		{"Makefile", "all:\n\tgo", "text/plain; charset=utf-8"},
		{"a.unknown", "text", "text/plain; charset=utf-8"},
		{"a.unknown", "<script>", "text/plain; charset=utf-8"},
		{"a.unknown", "\x00\x01", "application/octet-stream"},
		{"a.unknown", "a\x7fb", "application/octet-stream"},
		{"a.unknown", "\xff\xfe\x00", "application/octet-stream"},
		{"program", "\x7fELF", "application/octet-stream"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			if got := static.ContentType(tt.file, []byte(tt.body), true, ""); got != tt.want {
				t.Errorf("Content-Type of %s = %q, want %q", tt.file, got, tt.want)
			}
		})
	}
}

// TestMediaTypesAreWellFormed tries the endings that systems know beside those
// of the table.
func TestMediaTypesAreWellFormed(t *testing.T) {
	for _, ending := range []string{"ppt", "xlsx", "odt", "epub", "flac", "mkv", "zip", "7z", "rar", "ttf", "otf", "ics", "md", "csv", "glb", "torrent", "jar", "apk", "iso", "heic", "jxl", "m3u8", "vtt", "rss", "atom", "yaml", "sqlite3", "crt"} {
		got := static.MediaType("x." + ending)
		kind, parameters, err := mime.ParseMediaType(got)
		if err != nil || kind != got || len(parameters) != 0 {
			t.Errorf("%s: %q: %v", ending, got, err)
		}
	}
}
