// Package compat holds Python modules that scripts import and the standard
// library has no more: cgi and cgitb, as far as scripts use them. They are written
// for Gatehouse after the documentation of the originals; docs/guide/cgi.md says
// what differs.
package compat

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed shim.py gatehouse_compat/*.py
var files embed.FS

// names are the modules that scripts find.
func names() []string { return []string{"cgi", "cgitb"} }

// files of the folder that is in PYTHONPATH of scripts, by what they are made of.
func layout() map[string]string {
	const pkg = "gatehouse_compat/"
	layout := map[string]string{pkg + "__init__.py": pkg + "__init__.py"}
	for _, name := range names() {
		layout[name+".py"] = "shim.py"
		layout[pkg+name+".py"] = pkg + name + ".py"
	}
	return layout
}

// Write writes the modules into dir, which exists and becomes what is in
// PYTHONPATH of scripts. Everybody may read them, whatever the umask.
func Write(dir string) error {
	pkg := filepath.Join(dir, "gatehouse_compat")
	if err := os.Mkdir(pkg, 0o755); err != nil {
		return fmt.Errorf("compat: %w", err)
	}
	for name, from := range layout() {
		text, err := files.ReadFile(from)
		if err != nil {
			panic("compat: " + err.Error()) // embedded files are there
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("compat: %w", err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			return fmt.Errorf("compat: %w", err)
		}
	}
	if err := os.Chmod(pkg, 0o755); err != nil {
		return fmt.Errorf("compat: %w", err)
	}
	return nil
}
