package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The reference pages are what the program writes now.
func TestReferenceIsCurrent(t *testing.T) {
	dir := t.TempDir()
	if status := execute(t.Context(), []string{"reference", "--dir", dir}, t.Output(), t.Output()); status != exitOK {
		t.Fatalf("reference: exit status %d", status)
	}
	for _, name := range []string{"cli.md", "configuration.md", "defaults.md", "gatehouse.schema.json"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("docs/reference/%s is not what the program writes; run go generate ./cmd/gatehouse", name)
		}
	}
}
