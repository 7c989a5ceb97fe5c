package detect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Interpreter is the Python that an application is to run with.
type Interpreter struct {
	// Path is its absolute path.
	Path string
	// Venv is the folder of the virtual environment that it belongs to, empty
	// for one that belongs to none.
	Venv string
	// Version is what the environment's pyvenv.cfg says, as "3.13"; empty where
	// only running it would tell.
	Version string
	// Why is where it came from, such as "VIRTUAL_ENV" or ".venv".
	Why string
}

// interpreter chooses: what the operator named, the active environment, the
// project's, what the project names, python3.
func (f *finder) interpreter(named, wish Named) error {
	project, active := []string{f.res.Dir}, ""
	if !f.alone {
		project, active = projectFolders(f.res.Dir), os.Getenv("VIRTUAL_ENV")
	}
	f.requiresPython(project)
	if named.Value != "" {
		return f.namedInterpreter(named)
	}
	if active != "" {
		if f.useVenv(active, "VIRTUAL_ENV") {
			return nil
		}
		f.because("", 0, "VIRTUAL_ENV names %s, which has no bin/python", active)
	}
	for _, dir := range project {
		if path := Venv(dir); path != "" && f.use(path, f.rel(filepath.Dir(filepath.Dir(path))), "", 0) == nil {
			return nil
		}
	}
	if wish.Value != "" {
		return f.namedInterpreter(wish)
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			return f.use(path, name+" on PATH", "", 0)
		}
	}
	return &Error{Path: f.res.Dir, Err: ErrInterpreter, Looked: []string{
		"--python, VIRTUAL_ENV",
		".venv and venv in the project",
		"python in gatehouse.toml, or in [tool.gatehouse] in pyproject.toml",
		"python3 on PATH",
	}, Hint: "install Python 3.8 or newer, or name one with --python PATH"}
}

// Venv returns the interpreter of the virtual environment in a project's folder,
// "" if it has none.
func Venv(dir string) string {
	for _, name := range []string{".venv", "venv"} {
		if path := filepath.Join(dir, name, "bin", "python"); executable(path) == nil {
			return path
		}
	}
	return ""
}

// namedInterpreter takes a path relative to the folder, a virtual environment's
// folder, or a name on PATH.
func (f *finder) namedInterpreter(named Named) error {
	base, value, why := f.res.Dir, named.Value, "--python"
	if named.File != "" {
		why = "the configuration"
	}
	from := Reason{What: "from " + why, File: f.rel(named.File), Line: named.Line}.String()
	path := value
	if !strings.ContainsRune(value, filepath.Separator) && !isVenv(filepath.Join(base, value)) {
		found, err := exec.LookPath(value)
		if err != nil {
			return &Error{
				Path: value, Err: fmt.Errorf("%w: not on PATH", ErrInterpreter),
				Hint: from + "; a path needs a slash: ./" + value,
			}
		}
		path = found
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	if isVenv(path) {
		path = filepath.Join(path, "bin", "python")
	}
	if err := executable(path); err != nil {
		return &Error{Path: value, Err: fmt.Errorf("%w: %w", ErrInterpreter, err), Hint: from}
	}
	return f.use(path, why, named.File, named.Line)
}

// useVenv takes the environment's interpreter, if it has one.
func (f *finder) useVenv(venv, why string) bool {
	path := filepath.Join(venv, "bin", "python")
	return executable(path) == nil && f.use(path, why, "", 0) == nil
}

// use makes path the interpreter. The path is kept as it is: a virtual
// environment is found by its own name of the interpreter, not by the target of
// that link.
func (f *finder) use(path, why, file string, line int) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("detect: resolve %s: %w", path, err)
	}
	f.res.Python = Interpreter{Path: abs, Why: why}
	if venv := filepath.Dir(filepath.Dir(abs)); isVenv(venv) {
		f.res.Python.Venv = venv
		f.res.Python.Version = venvVersion(venv)
	}
	f.because(file, line, "interpreter %s, from %s", f.rel(abs), why)
	return nil
}

// executable says why path cannot be run, nil if it can.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return &os.PathError{Op: "run", Path: path, Err: os.ErrPermission}
	}
	return nil
}

// venvVersion is the "3.13" of an environment's pyvenv.cfg, empty if it does
// not say. The venv module writes version, virtualenv and uv version_info.
func venvVersion(venv string) string {
	src, err := readFile(filepath.Join(venv, "pyvenv.cfg"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(src)) {
		key, value, _ := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); key != "version" && key != "version_info" {
			continue
		}
		parts := strings.SplitN(strings.TrimSpace(value), ".", 3)
		if len(parts) >= 2 {
			return parts[0] + "." + parts[1]
		}
	}
	return ""
}
