package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string // line:indent:code|literal|…
	}{
		{"empty", "", nil},
		{"comment", "# app = Flask()\n", nil},
		{"comment behind code", "a = 1  # b = 2\nc = 3", []string{"1:0:a = 1", "2:0:c = 3"}},
		{"hash in a literal", "a = '#' + x", []string{"1:0:a = $ + x|#"}},
		{"docstring", "\"\"\"x\napp = Flask()\n\"\"\"\nb = 1", []string{"1:0:$|x\napp = Flask()\n", "4:0:b = 1"}},
		{"triple with single inside", "a = '''it's'''\nb", []string{"1:0:a = $|it's", "2:0:b"}},
		{"empty literal", "a = ''\nb = \"\"", []string{"1:0:a = $|", "2:0:b = $|"}},
		{"escaped quote", `a = 'it\'s'; b`, []string{`1:0:a = $|it\'s`, "1:0:b"}},
		{"raw literal", `a = r'\'; b'`, []string{`1:0:a = $|\'; b`}},
		{"prefixes", `f(rb'x', F"y", not_a_prefix'z')`, []string{"1:0:f($, $, not_a_prefix$)|x|y|z"}},
		{"brackets join lines", "f(a,\n  b, # c\n  'd')\ne", []string{"1:0:f(a, b, $)|d", "4:0:e"}},
		{"backslash joins lines", "a = \\\n  b\nc", []string{"1:0:a = b", "3:0:c"}},
		{"backslash at the end", "a = \\", []string{"1:0:a = \\"}},
		{"semicolon", "a; b = ';'; c", []string{"1:0:a", "1:0:b = $|;", "1:0:c"}},
		{"semicolon keeps indentation", "  a;   b", []string{"1:2:a", "1:2:b"}},
		{"indentation", "if a:\n\tb\n    c\nd", []string{"1:0:if a:", "2:1:b", "3:4:c", "4:0:d"}},
		{"literal not closed", "a = 'x\nb = 1", []string{"1:0:a = $|x", "2:0:b = 1"}},
		{"triple not closed", "a = '''x\nb = 1", []string{"1:0:a = $|x\nb = 1"}},
		{"f-string with quotes inside", `a = f"{b["c"]} {{" + "d"`, []string{`1:0:a = $ + $|{b["c"]} {{|d`}},
		{"f-string with braces nested", `a = f'{b:{w}}'; c`, []string{`1:0:a = $|{b:{w}}`, "1:0:c"}},
		{"line ends of other systems", "a\r\nb\rc", []string{"1:0:a", "2:0:b", "3:0:c"}},
		{"byte order mark", "\ufeffa = 1", []string{"1:0:a = 1"}},
		{"dollar", "a = $", []string{"1:0:a = ?"}},
		{"stray bracket", ")\na", []string{"1:0:)", "2:0:a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range scan([]byte(tt.src)) {
				parts := append([]string{fmt.Sprintf("%d:%d:%s", s.line, s.indent, s.code)}, s.text...)
				got = append(got, strings.Join(parts, "|"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBindings(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string // name form value
	}{
		{"assignment", "a = f(b=1)", []string{"a 0 f(b=1)"}},
		{"annotated", "a: Dict[str, int] = x", []string{"a 0 x"}},
		{"annotated without a value", "a: int", nil},
		{"chain", "a = b = c", []string{"a 0 c", "b 0 c"}},
		{"comparison", "a == b", nil},
		{"augmented", "a += 1", nil},
		{"attribute", "a.b = c", nil},
		{"tuple", "a, b = c", nil},
		{"def", "def f(a, b=(1, 2)) -> int: pass", []string{"f 1 a, b=(1, 2)"}},
		{"async def", "async def f(a): pass", []string{"f 2 a"}},
		{"class", "class C(B): pass", []string{"C 3 "}},
		{"from", "from a.b import (c, d as e,)", []string{"c 4 a.b.c", "e 4 a.b.d"}},
		{"from, relative", "from . import c\nfrom .x import d\nfrom ..y import e", []string{"c 4 pkg.c", "d 4 pkg.x.d", "e 4 y.e"}},
		{"from, far above", "from ....... import c", []string{"c 4 .c"}},
		{"import", "import a.b, c as d", []string{"a 4 a", "d 4 c"}},
		{"nested", "if x:\n  a = 1", nil},
		{"suite on the line", "if x: a = 1", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &module{name: "pkg.mod"}
			m.parse([]byte(tt.src))
			var got []string
			for _, b := range m.bindings {
				got = append(got, fmt.Sprintf("%s %d %s", b.name, b.form, b.value))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzScan: nothing panics, statements come in order and lie in the source, each
// '$' has its literal, and the line ends of other systems change nothing.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', \"a.b\")\n",
		"def f(a,\n  b=f'{x[\"y\"]!r:>{w}}'):\n\treturn '''\n'''\n",
		"from . import (a as b,\n c)\nx: int = y = z(1).w(2); q = 'a\\\nb'",
		"async def app(scope, receive, send): pass\nclass application: pass\n$ \\",
		"[project]\nrequires-python = \">=3.10\" # why\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m := &module{name: "a.b"}
		m.parse(src)
		m.candidate("testdata/absent")
		settingsIn(m)
		lines := 1 + bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r"))
		last := 1
		for _, s := range m.code {
			if s.line < last || s.line > lines {
				t.Fatalf("statement %q on line %d, after line %d of %d", s.code, s.line, last, lines)
			}
			last = s.line
			if n := strings.Count(s.code, "$"); n != len(s.text) {
				t.Fatalf("statement %q has %d literals noted for %d", s.code, len(s.text), n)
			}
			if s.code == "" || strings.ContainsAny(s.code, "\n\r\"'#") {
				t.Fatalf("code %q", s.code)
			}
		}
		if bytes.ContainsRune(src, '\r') {
			return
		}
		other := scan(bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n")))
		if !slices.EqualFunc(m.code, other, func(a, b statement) bool {
			return a.line == b.line && a.indent == b.indent && a.code == b.code
		}) {
			t.Fatalf("with CR LF: %v, with LF: %v", other, m.code)
		}
	})
}
