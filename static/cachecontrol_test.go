package static_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestContentHashed(t *testing.T) {
	tests := []struct {
		name string
		want bool
	}{
		{"css/base.4f9a01c2be77.css", true},           // Django
		{"main.8f3b2c1d.js", true},                    // webpack
		{"main.8f3b2c1d.chunk.js", true},              // create-react-app
		{"static/js/2.0a1b2c3d4e5f6a7b8c9d.js", true}, // webpack's full hash
		{"app-0123456789abcdef0123456789abcdef.css", true},
		{"app-d41d8cd98f00b204e9800998ecf8427e.js.map", true},
		{"logo.9F86D081.png", true},
		{"assets/index-BWz7H_Xk.js", true}, // Vite
		{"chunk-2UZXVQ3M.js", true},        // esbuild
		{"_next/static/chunks/pages/index.js", true},
		{"_app/immutable/entry/start.js", true},
		{"site/_astro/page.css", true},
		{"app.js", false},
		{"report-20240101.pdf", false},
		{"report-20240101a.pdf", false},
		{"backup.20241231.zip", false},
		{"report-12dec2024.pdf", false},
		{"report-1dec2024.pdf", false},
		{"beef-deadbeef.jpg", false},
		{"menu-cafe2024.jpg", false},
		{"facade.defaced0.html", false},
		{"my-Document.pdf", false},
		{"assets/shop-Version2.js", false},
		{"assets/photo-iPhone15.jpg", false},
		{"assets/plugin-jQuery35.js", false},
		{"index-BWz7H_Xk.js", false}, // outside assets it might be a word
		{"jquery-3.7.1.min.js", false},
		{"lib-1.0.0-beta.12345678.js", false},
		{"550e8400-e29b-41d4-a716-4466554400aa.pdf", false},
		{"doc-550e8a00-e29b-41d4-a716-4a66554400aa.pdf", false},
		{"8f3b2c1d.js", false}, // nothing but the hash: might be an identifier
		{"photo-4f9a01c2be77", false},
		{"README-COVID19.css", false},
		{"commit-4f9a01c.txt", false},
		{".4f9a01c2be77", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := static.ContentHashed(tt.name); got != tt.want {
				t.Errorf("ContentHashed(%q) = %t, want %t", tt.name, got, tt.want)
			}
		})
	}
}

func TestCacheControl(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{
		"index.html": "", "page.4f9a01c2be77.html": "", "x.xhtml": "", "app.4f9a01c2be77.js": "", "app.js": "", "a.png": "",
	})}})
	for path, want := range map[string]string{
		"/": "no-cache", "/page.4f9a01c2be77.html": "no-cache", "/x.xhtml": "no-cache",
		"/app.4f9a01c2be77.js": "public, max-age=31536000, immutable", "/app.js": "", "/a.png": "",
	} {
		w := get(h, path)
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control = %q, want %q", path, got, want)
		}
		again := get(h, path, "If-None-Match", w.Header().Get("ETag"))
		if got := again.Header().Get("Cache-Control"); again.Code != 304 || got != want {
			t.Errorf("%s: %d, Cache-Control = %q, want it in a 304 too: %q", path, again.Code, got, want)
		}
	}
}
