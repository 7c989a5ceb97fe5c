package gatehouse_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityTable: each promise of docs/security.md has a test, and each test
// that it names is there.
func TestSecurityTable(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	known := map[string]map[string]bool{} // by folder
	in := func(dir string) map[string]bool {
		if known[dir] == nil {
			known[dir] = map[string]bool{}
			files, _ := filepath.Glob(filepath.Join(dir, "*_test.go")) // the pattern is none
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range function.FindAllSubmatch(source, -1) {
					known[dir][string(m[1])] = true
				}
			}
			scripts, _ := filepath.Glob(filepath.Join(dir, "testdata/script/*.txtar"))
			for _, s := range scripts {
				known[dir][filepath.Base(s)] = true
			}
		}
		return known[dir]
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 2 || strings.HasPrefix(line, "| promise") {
			continue
		}
		rows++
		for part := range strings.SplitSeq(strings.TrimSuffix(cells[1], " |"), "; ") {
			words := strings.Fields(strings.ReplaceAll(part, "`", ""))
			if len(words) < 2 {
				t.Errorf("%s names no test", line)
				continue
			}
			for _, name := range words[1:] {
				if !in(words[0])[name] {
					t.Errorf("%s has no %s", words[0], name)
				}
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d promises were read", rows)
	}
}
