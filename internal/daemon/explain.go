package daemon

import (
	"fmt"
	"io"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// Explain writes what Run would run, and from which file and line it knows.
// Nothing is started.
func Explain(cfg *config.Config, w io.Writer) error {
	found, err := look(&cfg.App)
	if err != nil {
		return err
	}
	var b strings.Builder
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-*s%s\n", labelWidth+2, label, printable(value))
		}
	}
	row("folder", found.Dir)
	if found.ImportDir != found.Dir {
		row("imports", found.ImportDir)
	}
	row("framework", string(found.Framework))
	row("application", found.App)
	row("settings", found.Settings)
	row("python", found.Python.Path)
	row("needs", found.RequiresPython)
	row("environment", strings.Join(found.Env, " "))
	b.WriteString("\nbecause\n")
	for _, r := range found.Reasons {
		fmt.Fprintf(&b, "  %s\n", printable(r.String()))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("daemon: explain: %w", err)
	}
	return nil
}
