package daemon

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/internal/watch"
)

// source is an application's source while somebody works at it.
type source struct {
	*watch.Watcher
	changed chan string // names what has changed; a change that nobody has taken yet stands for all later ones
}

// watchSource watches the folders of the project that was found.
func watchSource(found *detect.Result, log *slog.Logger) (*source, error) {
	s := &source{changed: make(chan string, 1)}
	roots := []string{found.Dir}
	if rel, err := filepath.Rel(found.Dir, found.ImportDir); err != nil || !filepath.IsLocal(rel) {
		roots = append(roots, found.ImportDir)
	}
	w, err := watch.Open(watch.Config{
		Roots: roots, Log: log,
		Changed: func(files []string) {
			select {
			case s.changed <- nameFiles(found.Dir, files):
			default:
			}
		},
	})
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot watch the source: %w", err)}
	}
	s.Watcher = w
	return s, nil
}

// nameFiles names some files, as seen from dir, in a line that stays short.
func nameFiles(dir string, files []string) string {
	first := files[0]
	if rel, err := filepath.Rel(dir, first); err == nil && filepath.IsLocal(rel) {
		first = rel
	}
	if more := len(files) - 1; more > 0 {
		return fmt.Sprintf("%s and %s", first, count(more, "other file"))
	}
	return first
}
