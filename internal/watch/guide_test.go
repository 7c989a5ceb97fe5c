package watch_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/watch"
)

// The guide's table tells all that the rules say.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/guide/development.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(guide), "## What counts as source")
	if !ok {
		t.Fatal("the guide does not say what counts as source")
	}
	for _, name := range watch.RuleNames() {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the guide's table does not name %s", name)
		}
	}
}
