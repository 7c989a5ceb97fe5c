package detect

import (
	"path/filepath"
	"strings"
)

// projectFolders lists dir and its parents up to the project's own folder, the
// nearest that holds .git or pyproject.toml. Without one it is dir alone: a
// virtual environment further up belongs to somebody else.
func projectFolders(dir string) []string {
	var out []string
	for at := dir; ; at = filepath.Dir(at) {
		out = append(out, at)
		if exists(filepath.Join(at, ".git")) || isFile(filepath.Join(at, "pyproject.toml")) {
			return out
		}
		if at == filepath.Dir(at) {
			return out[:1]
		}
	}
}

// requiresPython notes what pyproject.toml asks of the interpreter.
func (f *finder) requiresPython(project []string) {
	for _, dir := range project {
		file := filepath.Join(dir, "pyproject.toml")
		if value, line := projectString(file, "requires-python"); value != "" {
			f.res.RequiresPython = value
			f.because(file, line, "requires Python %s", value)
			return
		}
	}
}

// projectString reads one string of the table [project] of a pyproject.toml, empty
// if it is not there. It knows "[table]" and "key = string", which is how these
// keys are written; whatever else TOML allows it passes over.
func projectString(file, key string) (value string, line int) {
	src, err := readFile(file)
	if err != nil {
		return "", 0
	}
	table := ""
	for _, s := range scan(src) {
		if name, ok := strings.CutPrefix(s.code, "["); ok {
			table = strings.Trim(name, "[] ")
			continue
		}
		if table == "project" && s.isLiteral(key) {
			return s.text[0], s.line
		}
	}
	return "", 0
}
