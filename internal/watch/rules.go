package watch

import (
	"os"
	"path/filepath"
	"strings"
)

// endings are those of files that count wherever they lie.
var endings = map[string]bool{
	// Code: what an import reads. A compiled module is replaced by building it.
	".py": true, ".so": true,
	// Configuration that modules read while they are imported. JSON is missing
	// on purpose: applications store data in it.
	".toml": true, ".ini": true, ".cfg": true, ".yaml": true, ".yml": true,
	// Translations, compiled: gettext keeps them in memory.
	".mo": true,
}

// templateEndings are those of files that count outside of publicFolders, where
// a page is served as it is. Frameworks keep templates in memory, Django too
// unless DEBUG is on.
var templateEndings = map[string]bool{
	".html": true, ".htm": true, ".djhtml": true,
	".jinja": true, ".jinja2": true, ".j2": true,
	".mako": true, ".pt": true, ".tpl": true,
}

// templateFolders are folders below which every file is a template: the text of
// mails, feeds, site maps.
var templateFolders = map[string]bool{"templates": true, "jinja2": true}

// publicFolders hold what is served as it is, what visitors upload, and reports.
var publicFolders = map[string]bool{
	"static": true, "staticfiles": true, "media": true, "uploads": true, "htmlcov": true,
}

// area is what the rules know of a folder.
type area uint8

const (
	plain     area = iota
	templates      // a folder of templates, or below one
	public         // a public folder, or below one
)

// areaBelow is the area of a folder called name that lies in one of area a.
func areaBelow(a area, name string) area {
	switch {
	case templateFolders[name]:
		return templates
	case publicFolders[name]:
		return public
	}
	return a
}

// counts reports whether a change of the file called name, in a folder of area
// a, is one of the source.
func counts(a area, name string) bool {
	if name == ".env" || name == ".flaskenv" || strings.HasPrefix(name, ".env.") && !isTemporary(name[1:]) {
		return true
	}
	if isTemporary(name) {
		return false
	}
	ending := strings.ToLower(filepath.Ext(name))
	if strings.HasPrefix(name, "requirements") && ending == ".txt" {
		return true // what an application imports
	}
	return endings[ending] || a == templates || a == plain && templateEndings[ending]
}

// isTemporary reports whether a file is an editor's own: swap, lock and backup
// files, and what is about to be renamed over the real one.
func isTemporary(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") {
		return true // vim's .x.py.swp, Emacs's .#x.py and #x.py#, everybody's x.py~
	}
	if strings.Trim(name, "0123456789") == "" {
		return true // vim tries with 4913 whether it may write
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".swp", ".swx", ".tmp", ".bak", ".orig", ".rej", ".pyc":
		return true
	}
	return strings.HasSuffix(name, "___") && strings.Contains(name, "___jb_")
}

// skips reports whether nothing below the folder called name is anybody's
// source: what tools write, and what is installed.
func skips(name string) bool {
	switch name {
	case "__pycache__", "node_modules", "site-packages":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// isEnvironment reports whether a folder is a virtual environment, whatever it
// is called.
func isEnvironment(dir string) bool {
	for _, name := range []string{"pyvenv.cfg", "conda-meta"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}
