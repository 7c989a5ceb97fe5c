package marshal_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/marshal"
)

// tests pairs what is written with what Python's repr shows of it.
var tests = []struct {
	name string
	got  []byte
	want string // bytes
	repr string
}{
	{"none", marshal.AppendNone(nil), "N", "None"},
	{"true", marshal.AppendBool(nil, true), "T", "True"},
	{"false", marshal.AppendBool(nil, false), "F", "False"},
	{"int", marshal.AppendInt(nil, 258), "i\x02\x01\x00\x00", "258"},
	{"negative int", marshal.AppendInt(nil, -1), "i\xff\xff\xff\xff", "-1"},
	{"empty text", marshal.AppendText(nil, ""), "u\x00\x00\x00\x00", "''"},
	{"text", marshal.AppendText(nil, "café"), "u\x05\x00\x00\x00caf\xc3\xa9", "'café'"},
	{"Latin-1", marshal.AppendLatin1(nil, "a\x80\xff\x00"), "u\x06\x00\x00\x00a\xc2\x80\xc3\xbf\x00", `'a\x80ÿ\x00'`},
	{"bytes", marshal.AppendBytes(nil, []byte{0, 255}), "s\x02\x00\x00\x00\x00\xff", `b'\x00\xff'`},
	{"tuple", marshal.AppendNone(marshal.AppendTuple(nil, 1)), "(\x01\x00\x00\x00N", "(None,)"},
	{"list", marshal.AppendNone(marshal.AppendList(nil, 1)), "[\x01\x00\x00\x00N", "[None]"},
	{
		"dict", marshal.EndDict(marshal.AppendInt(marshal.AppendText(marshal.BeginDict(nil), "a"), 1)),
		"{u\x01\x00\x00\x00ai\x01\x00\x00\x000", "{'a': 1}",
	},
	{"text in parts", textInParts(), "u\x04\x00\x00\x00a, b", "'a, b'"},
	{"bytes filled in later", grown(), "s\x02\x00\x00\x00hi", "b'hi'"},
}

func textInParts() []byte {
	b, at := marshal.BeginText(nil)
	for _, part := range []string{"a", ", ", "b"} {
		b = marshal.AppendLatin1Part(b, part)
	}
	return marshal.EndText(b, at)
}

func grown() []byte {
	b, room := marshal.GrowBytes(nil, 2)
	copy(room, "hi")
	return b
}

func TestBytes(t *testing.T) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if string(tt.got) != tt.want {
				t.Errorf("wrote %q, want %q", tt.got, tt.want)
			}
		})
	}
}

func TestPythonLoadsThem(t *testing.T) {
	all := marshal.AppendList(nil, len(tests))
	var want []string
	for _, tt := range tests {
		all = append(all, tt.got...)
		want = append(want, tt.repr)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-X", "utf8", "-c", "import marshal, sys\nfor v in marshal.loads(sys.stdin.buffer.read()): print(repr(v))")
	cmd.Stdin = bytes.NewReader(all)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != strings.Join(want, "\n") {
		t.Errorf("Python loaded\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func BenchmarkAppendText(b *testing.B) {
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		dst = marshal.AppendLatin1(dst[:0], "text/html,application/xhtml+xml")
	}
}

// TestIsOnlyWritten: marshal makes code of bytes, so what a worker sends is never
// read so; there is no function that could.
func TestIsOnlyWritten(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !regexp.MustCompile(`^(?i)(append|begin|end|grow|size)`).MatchString(fn.Name.Name) {
				t.Errorf("%s has %s, which does not write", name, fn.Name.Name)
			}
		}
	}
}
