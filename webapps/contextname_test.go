package webapps_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/webapps"
)

func TestParseBase(t *testing.T) {
	for _, tt := range []struct{ base, path, prefix, version string }{
		{"ROOT", "/", "", ""},
		{"ROOT##2", "/", "", "2"},
		{"shop", "/shop", "/shop", ""},
		{"root", "/root", "/root", ""},
		{"tools#dns", "/tools/dns", "/tools/dns", ""},
		{"a#b#c", "/a/b/c", "/a/b/c", ""},
		{"a#ROOT", "/a/ROOT", "/a/ROOT", ""},
		{"shop##2", "/shop", "/shop", "2"},
		{"a#b##2026-11-24.1", "/a/b", "/a/b", "2026-11-24.1"},
		{"blog-2.0", "/blog-2.0", "/blog-2.0", ""},
		{strings.Repeat("x", 200), "/" + strings.Repeat("x", 200), "/" + strings.Repeat("x", 200), ""},
	} {
		c, err := webapps.ParseBase(tt.base)
		if err != nil {
			t.Errorf("%q: %v", tt.base, err)
			continue
		}
		if c.Path() != tt.path || c.Prefix() != tt.prefix || c.Version() != tt.version || c.Base() != tt.base {
			t.Errorf("%q: path %q, prefix %q, version %q, base %q", tt.base, c.Path(), c.Prefix(), c.Version(), c.Base())
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, tt := range []struct{ base, says string }{
		{"", "empty"},
		{"#a", "empty"},
		{"a#", "empty"},
		{"a##", "a version is missing"},
		{"##2", "empty"},
		{"a###2", `"#" cannot stand in a version`},
		{"a##2##3", `"#" cannot stand in a version`},
		{"a##2 b", `" " cannot stand in a version`},
		{"..", "begins with a dot"},
		{".", "begins with a dot"},
		{"a#..#b", "begins with a dot"},
		{"a#.git", "begins with a dot"},
		{"ROOT#a", "only as the whole name"},
		{"a/b", "# stands for a slash"},
		{"a b", `" " cannot stand in a path`},
		{"a%2fb", `"%" cannot stand in a path`},
		{"a\\b", `"\\" cannot stand in a path`},
		{"a\x00b", `"\x00" cannot stand in a path`},
		{"a\nb", `"\n" cannot stand in a path`},
		{"a?b", `"?" cannot stand in a path`},
		{"a;b", `";" cannot stand in a path`},
		{"caf\u00e9", "cannot stand in a path"},
		{strings.Repeat("x", 201), "longer than 200 bytes"},
	} {
		if _, err := webapps.ParseBase(tt.base); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %v, want that %s", tt.base, err, tt.says)
		}
	}
}

func TestParsePath(t *testing.T) {
	for _, tt := range []struct{ path, version, base, says string }{
		{"/", "", "ROOT", ""},
		{"/", "2", "ROOT##2", ""},
		{"/shop", "", "shop", ""},
		{"/shop/", "3", "shop##3", ""},
		{"/a/b", "", "a#b", ""},
		{"shop", "", "", "begins with a slash"},
		{"", "", "", "begins with a slash"},
		{"//", "", "", "empty"},
		{"/a//b", "", "", "empty"},
		{"/../b", "", "", "begins with a dot"},
		{"/a#b", "", "", `"#" cannot stand in a path`},
		{"/ROOT", "", "", "only as the whole name"},
		{"/a", "../../x", "", `"/" cannot stand in a version`},
		{"/" + strings.Repeat("x", 201), "", "", "longer than 200 bytes"},
	} {
		c, err := webapps.ParsePath(tt.path, tt.version)
		if tt.says != "" {
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q, %q: %v, want that %s", tt.path, tt.version, err, tt.says)
			}
		} else if err != nil || c.Base() != tt.base {
			t.Errorf("%q, %q: %q, %v; want %q", tt.path, tt.version, c.Base(), err, tt.base)
		}
	}
}

func TestVersionsInOrder(t *testing.T) {
	want := []string{"ROOT", "shop", "shop##01", "shop##1", "shop##1.2", "shop##1.10", "shop##1.10a", "shop##9", "shop##10", "shop##beta", "shop##beta2", "shop##beta10", "shop2"}
	var names []webapps.ContextName
	for _, base := range want {
		c, err := webapps.ParseBase(base)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c)
	}
	for i, a := range names {
		for j, b := range names {
			got := a.Compare(b)
			if i < j && got >= 0 || i == j && got != 0 || i > j && got <= 0 {
				t.Errorf("%v compared with %v is %d", a, b, got)
			}
		}
	}
	if !slices.IsSortedFunc(names, webapps.ContextName.Compare) {
		t.Error("not in order")
	}
}

// FuzzContextName: what is taken is a path without surprises, comes back as the
// same name from every spelling, and never leads out of a folder.
func FuzzContextName(f *testing.F) {
	for _, s := range []string{"ROOT", "ROOT##1", "a#b##2", "..", "a##", "#", "a%2e", "x\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, base string) {
		c, err := webapps.ParseBase(base)
		if err != nil {
			return
		}
		again, err := webapps.ParseBase(c.Base())
		if err != nil || again != c {
			t.Fatalf("%q is %v, whose base %q is %v, %v", base, c, c.Base(), again, err)
		}
		byPath, err := webapps.ParsePath(c.Path(), c.Version())
		if err != nil || byPath != c {
			t.Fatalf("%q by its path is %v, %v", base, byPath, err)
		}
		if strings.ContainsAny(c.Base(), "/\\\x00") || strings.HasPrefix(c.Base(), ".") || strings.Contains(c.Path()+"/", "/.") || strings.Contains(c.Path(), "//") {
			t.Fatalf("%q leads to %q and %q", base, c.Base(), c.Path())
		}
	})
}
