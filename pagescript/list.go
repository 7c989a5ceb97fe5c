package pagescript

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// Listed is a page, as List found it.
type Listed struct {
	Path        string // of its URL
	Application bool   // it defines a WSGI application
	Refused     error  // why it does not run; nil if it does
}

// List looks at all pages in the folder, in the order of their names, without
// running any. What others may write to, or is a link, is listed with the reason
// for which it is refused.
func (h *Handler) List() (all []Listed, err error) {
	err = h.config.Scripts.User.Do(func() error {
		all, err = h.listAll()
		return err
	})
	return all, err
}

func (h *Handler) listAll() ([]Listed, error) {
	var all []Listed
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == h.dir {
			return err
		}
		name := entry.Name()
		switch {
		case entry.IsDir() && (name[0] == '.' || !h.isPage(filepath.Join(path, "page.py"))):
			return filepath.SkipDir
		case entry.IsDir() || name[0] == '.' || !h.isPage(path):
			return nil
		}
		listed, err := h.list(path, entry)
		all = append(all, listed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pagescript: list pages: %w", err)
	}
	return all, nil
}

func (h *Handler) list(path string, entry fs.DirEntry) (Listed, error) {
	rel, err := filepath.Rel(h.dir, path)
	if err != nil {
		return Listed{}, err
	}
	address := h.prefix() + filepath.ToSlash(rel)
	listed := Listed{Path: (&url.URL{Path: address}).EscapedPath(), Refused: h.scripts.Refusal(address)}
	if listed.Refused != nil || !entry.Type().IsRegular() {
		return listed, nil
	}
	text, err := os.ReadFile(path)
	listed.Application = detect.Binds(text, callable)
	return listed, err
}

// prefix is what the paths of pages begin with.
func (h *Handler) prefix() string {
	return "/" + strings.TrimPrefix(h.config.Scripts.Prefix, "/")
}
