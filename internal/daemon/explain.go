package daemon

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// Explain writes what Run would run, from which file and line it knows, and the
// configuration file that says the same. Nothing is started.
func Explain(p Project, w io.Writer) error {
	located, err := p.locate()
	if err != nil {
		return err
	}
	l, err := located.load()
	if err != nil {
		return err
	}
	if dir := located.webapps(l); dir != "" || len(l.Config.Sites) > 0 {
		return explainSites(located, l, dir, w)
	}
	found, err := located.look(l)
	if err != nil {
		return err
	}
	var b strings.Builder
	row := func(label, value string) { explainRow(&b, label, value) }
	row("folder", found.Dir)
	if found.ImportDir != found.Dir {
		row("imports", found.ImportDir)
	}
	row("file", l.File)
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
	fmt.Fprintf(&b, "\nthe same as %s\n\n%s", config.FileName, printable(config.Format(asFile(l, found))))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("daemon: explain: %w", err)
	}
	return nil
}

// explainRow writes what is known under a label, if anything is.
func explainRow(b *strings.Builder, label, value string) {
	if value != "" {
		fmt.Fprintf(b, "%-*s%s\n", labelWidth+2, label, printable(value))
	}
}

// explainSites is Explain for a configuration with sites, or a folder of
// applications: what its applications are, and all of it with what was found.
func explainSites(p *project, l *config.Loaded, folder string, w io.Writer) error {
	folder, err := severalOnly(p, l, folder)
	if err != nil {
		return err
	}
	if err := l.Verify(); err != nil {
		return &Error{Err: err}
	}
	s := newSites(p, nil, slog.New(slog.DiscardHandler))
	defer s.cancel()
	var b strings.Builder
	if folder != "" {
		if err := explainWebapps(l, folder, &b); err != nil {
			return err
		}
		if len(l.Config.Routed()) > 0 {
			b.WriteByte('\n')
		}
	}
	for i := range l.Config.Apps {
		if l.Config.Apps[i].InFolder {
			continue
		}
		n, err := s.named(l, &l.Config.Apps[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s: %s application %s, %s\n", l.Config.Apps[i].Name, n.found.Framework, n.found.App, printable(n.found.Python.Path))
		for _, r := range n.found.Reasons {
			fmt.Fprintf(&b, "  %s\n", printable(r.String()))
		}
		l.Config.Apps[i].App.App, l.Config.Apps[i].App.Python = n.found.App, n.found.Python.Path
	}
	fmt.Fprintf(&b, "\nthe same as %s\n\n%s", config.FileName, printable(config.Format(append(folderLines(p, l, folder), l.Lines()...))))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("daemon: explain: %w", err)
	}
	return nil
}

// asFile is the configuration with what was found in it, as a file in the
// project's folder has it.
func asFile(l *config.Loaded, found *detect.Result) []config.Line {
	set := slices.DeleteFunc(l.Lines(), func(line config.Line) bool {
		return line.Table == "" && line.Key == "python" || line.Table == "app" && line.Key == "app"
	})
	lines := []config.Line{
		config.TextLine("", "python", inFolder(found.Dir, found.Python.Path), cmp.Or(l.Why("python"), "from "+found.Python.Why)),
		config.TextLine("app", "app", found.App, foundIn(found)),
	}
	for _, variable := range found.Env {
		name, value, _ := strings.Cut(variable, "=")
		configured := func(line config.Line) bool { return line.Table == "app.env" && line.Key == name }
		if !slices.ContainsFunc(set, configured) {
			lines = append(lines, config.TextLine("app.env", name, value, "nothing else sets it for the workers"))
		}
	}
	return append(lines, set...)
}

// foundIn is the last place that the application was decided by.
func foundIn(found *detect.Result) string {
	for _, r := range slices.Backward(found.Reasons) {
		if strings.Contains(r.What, found.App) {
			return r.String()
		}
	}
	return ""
}

// inFolder is path as a file in dir is to name it: with a slash, because without
// it would be looked up on PATH.
func inFolder(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	switch {
	case err != nil || !filepath.IsLocal(rel):
		return path
	case !strings.ContainsRune(rel, filepath.Separator):
		return "./" + rel
	}
	return rel
}
