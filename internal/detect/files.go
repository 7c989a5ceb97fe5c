package detect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds what is read of one file. Source that people wrote is smaller;
// of a larger file the beginning counts.
const maxFile = 1 << 20

// readFile reads a regular file, at most maxFile bytes of it. Anything else, a
// FIFO that would block for one, is fs.ErrInvalid.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(file, maxFile))
	return src, errors.Join(err, file.Close())
}

// listing is the sorted content of a folder.
func listing(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("detect: read folder: %w", err)
	}
	return entries, nil
}

// isFile reports whether name is a regular file, links followed.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// exists reports whether there is anything of that name, a dangling link included.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// isVenv reports whether dir is a Python virtual environment.
func isVenv(dir string) bool { return isFile(filepath.Join(dir, "pyvenv.cfg")) }

// subfolders names the folders in dir that a project's own packages could be.
func subfolders(dir string) []string {
	entries, err := listing(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() || notOurs(e.Name()) || isVenv(path) {
			continue
		}
		out = append(out, e.Name())
	}
	return out
}

// notOurs reports whether a folder of that name holds other things than the
// application: tests, documentation, what tools leave behind.
func notOurs(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "__") {
		return true
	}
	return slices.Contains([]string{
		"tests", "test", "docs", "doc", "examples", "migrations",
		"node_modules", "site-packages", "build", "dist", "static", "templates", "media",
	}, name)
}
