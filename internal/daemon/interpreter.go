package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// python is the interpreter that scripts run with where they do not say more.
type python struct {
	path    string // "" if there is none
	version string // as it calls itself, "Python 3.13.0"
}

// String implements fmt.Stringer.
func (p python) String() string {
	if p.path == "" {
		return "no Python"
	}
	return p.version + " (" + p.path + ")"
}

// defaultPython is looked for where none is named. Scripts need not be in Python,
// so there may be none.
const defaultPython = "python3"

// versionWait is how long an interpreter may take to say its version.
const versionWait = 10 * time.Second

// findPython finds the interpreter that was named: a path, the folder of a
// virtual environment, or a program on PATH; "" means defaultPython. It is run
// for its version.
func findPython(ctx context.Context, named string) (python, error) {
	path, err := exec.LookPath(cmp.Or(programOf(named), defaultPython))
	if err != nil && named == "" {
		return python{}, nil
	}
	if err == nil {
		path, err = filepath.Abs(path) // scripts run in folders of their own
	}
	if err != nil {
		return python{}, pythonError(named, err)
	}
	ctx, cancel := context.WithTimeout(ctx, versionWait)
	defer cancel()
	version, err := exec.CommandContext(ctx, path, "--version").CombinedOutput() // Python 2 says it on standard error
	if err != nil {
		return python{}, pythonError(path, err)
	}
	return python{path: path, version: strings.TrimSpace(string(version))}, nil
}

// programOf is the program of the interpreter that was named.
func programOf(named string) string {
	if info, err := os.Stat(named); err == nil && info.IsDir() {
		return filepath.Join(named, "bin", "python")
	}
	return named
}

func pythonError(name string, err error) *Error {
	return &Error{
		Err:  fmt.Errorf("cannot run scripts with %s: %w", name, cause(err)),
		Hint: "--cgi-python takes a path, a name on PATH, or the folder of a virtual environment",
	}
}
