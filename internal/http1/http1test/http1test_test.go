package http1test

import "testing"

func TestParse(t *testing.T) {
	got, err := parse("# comment\nhead 400: a: b\n\"x\" 3*\"ab\"\n2*\"\\r\\n\"\n\nbody 431: c\n\"y\"\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Request{
		{Name: "a: b", Status: 400, Where: InHead, Raw: "xababab\r\n\r\n"},
		{Name: "c", Status: 431, Where: InBody, Raw: "y"},
	}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, table := range map[string]string{
		"bytes without a title":  `"x"`,
		"title without a name":   "head 400:",
		"title without a status": "head: x",
		"unknown place":          "tail 400: x",
		"the same name twice":    "head 400: x\nhead 400: x",
		"open literal":           "head 400: x\n\"y",
		"count without literal":  "head 400: x\n3*y",
	} {
		if got, err := parse(table); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}
