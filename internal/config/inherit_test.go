package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// What a file says wins over what stands above it, which wins over the default.
func TestInherit(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte("[app]\ntimeout = \"5s\"\n[app.env]\nA = \"1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := (&config.Source{Dir: dir}).Load()
	if err != nil {
		t.Fatal(err)
	}
	above := config.Default()
	above.App.Timeout, above.App.Workers, above.App.MaxWorkers = time.Hour, 2, 6
	above.App.MaxBody, above.App.Slow, above.App.Preload = 3*config.MB, 0, false
	above.App.Env = []config.Variable{{Name: "SECRET", Value: "x"}}
	above.App.AccelRedirect = map[string]string{"/a/": "/b"}
	above.Drain = time.Hour
	names := l.Inherit(&above, func(s *config.Setting) bool { return s.Group == config.Applications })
	if want := []string{"workers", "preload", "slow", "max-body"}; !slices.Equal(names, want) {
		t.Errorf("inherited %v, want %v", names, want)
	}
	c := l.Config
	if c.App.Timeout != 5*time.Second || c.App.Workers != 2 || c.App.MaxWorkers != 6 || c.App.MaxBody != 3*config.MB || c.App.Slow != 0 || c.App.Preload {
		t.Errorf("the configuration is %+v", c.App)
	}
	if len(c.App.Env) != 1 || len(c.App.AccelRedirect) != 0 || c.Drain == time.Hour {
		t.Errorf("too much was inherited: %+v", c)
	}
}
