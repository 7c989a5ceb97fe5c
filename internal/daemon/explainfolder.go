package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// ExplainFolder writes what Serve would serve: the folders, and which of the
// Python files are pages of which kind, or why not. Of their code nothing is run.
func ExplainFolder(ctx context.Context, cfg *config.Config, w io.Writer) (err error) {
	dir, err := findFolder(&cfg.Static)
	if err != nil {
		return err
	}
	f, err := openFolder(ctx, cfg, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close(ctx)) }()
	var b strings.Builder
	row := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-*s%s\n", labelWidth+2, label, printable(fmt.Sprintf(format, args...)))
	}
	row("files", "%s", f.dir)
	if hidden := f.files.Hidden(); hidden != "" {
		row("hidden", "%s", hidden)
	}
	if f.runs != nil {
		for _, folder := range f.runs.folders {
			row("cgi", "%s, scripts from %s, %s", folder.config.Prefix, folder.config.Dir, f.runs.python)
		}
	}
	if f.pages != nil {
		row("pages", "%s, %s", f.pages.dir, f.pages.python)
		if err := f.pages.explain(row); err != nil {
			return &Error{Err: err}
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("daemon: explain: %w", err)
	}
	return nil
}

// explain writes a row for each page.
func (p *pages) explain(row func(label, format string, args ...any)) error {
	all, err := p.handler.List()
	if err != nil {
		return err
	}
	// Folders of scripts are none of pages.
	all = slices.DeleteFunc(all, func(page pagescript.Listed) bool {
		first, _, _ := strings.Cut(strings.TrimPrefix(page.Path, "/"), "/")
		return slices.Contains(scriptNames(), first)
	})
	for _, page := range all {
		switch {
		case page.Refused != nil:
			row("", "%s  refused: %v", page.Path, page.Refused)
		case page.Application:
			row("", "%s  WSGI application, in workers of its own", page.Path)
		default:
			row("", "%s  run for each request, prints its page", page.Path)
		}
	}
	if len(all) == 0 {
		row("", "there are none yet; a file that ends in .py is one as soon as it is there")
	}
	return nil
}
