package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// TestRequirements reads what a project depends on.
func TestRequirements(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string // nil: none are named
		says       string   // the error, behind the path
	}{
		{"some", "[project]\nname = \"x\"\ndependencies = [\n  \"flask>=3\",\n  'gift; python_version < \"3.9\"',\n]\n", []string{"flask>=3", `gift; python_version < "3.9"`}, ""},
		{"none needed", "[project]\nname = \"x\"\n", []string{}, ""},
		{"another tool's", "[tool.poetry.dependencies]\nflask = \"3\"\n", nil, ""},
		{"dynamic", "[project]\ndynamic = [\"version\", \"dependencies\"]\n", nil, ":2:23: dependencies are dynamic"},
		{"no list", "[project]\ndependencies = \"flask\"\n", nil, ":2:16: dependencies: expected an array"},
		{"no text", "[project]\ndependencies = [1]\n", nil, ":2:17: dependencies: expected a text"},
		{"two lines", "[project]\ndependencies = [\"a\\n-r /etc/passwd\"]\n", nil, ":2:17: dependencies: expected a text"},
		{"no TOML", "[project\n", nil, ":1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), config.ProjectFile)
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := config.Requirements(path)
			if tt.says != "" {
				if err == nil || !strings.HasPrefix(err.Error(), path+tt.says) {
					t.Errorf("it says %v, want %s", err, tt.says)
				}
				return
			}
			if err != nil || !slices.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if got, err := config.Requirements(filepath.Join(t.TempDir(), "none")); got != nil || err != nil {
		t.Errorf("without a file: %q, %v", got, err)
	}
}
