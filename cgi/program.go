package cgi

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A program is what is executed for a script.
type program struct {
	path string   // of the executable
	args []string // its arguments, its own name first, the script included
	// python is the path of the interpreter where that is a Python 3 which is given
	// no options, "" otherwise.
	python string
	// words says that the words of a search string may follow (see
	// searchWords).
	words bool
}

// program returns what runs the script. The error is a *failure.
//
// An executable file with a shebang says itself what runs it. One without is
// run by the interpreter for its ending, if there is one, as are files that are
// not executable; what remains of executable files are compiled programs.
func (h *Handler) program(s *script) (program, error) {
	executable := s.file.Mode().Perm()&0o111 != 0
	bang, named := parseShebang(s.start)
	ending := strings.ToLower(filepath.Ext(s.path))
	interpreter, known := h.config.Interpreters[ending]
	switch {
	case h.config.Off:
		return program{}, forbidden("", "")
	case executable && named:
		return h.interpreted(s, bang)
	case known:
		if interpreter == "" {
			interpreter = h.config.Python
		}
		path, ok := h.executables.find(interpreter)
		if !ok {
			return program{}, noInterpreter(interpreter)
		}
		p := program{path: path, args: []string{interpreter, s.path}}
		if h.config.Interpreters[ending] == "" || isPython3(interpreter) {
			p.python = path
		}
		return p, nil
	case executable:
		return program{path: s.path, args: []string{s.path}, words: true}, nil
	}
	return program{}, forbidden("the file is no script: it is not executable, and no interpreter is set for its ending",
		"if it shall be run, chmod +x "+s.path)
}

// interpreted returns what runs a script with a shebang. Where that says env,
// the interpreter is looked up here in the same way, which saves a program.
func (h *Handler) interpreted(s *script, bang shebang) (program, error) {
	if bang.windows {
		return program{}, badGateway("the file has Windows line ends, so its interpreter is not found",
			"store it with Unix line ends: sed -i 's/\\r$//' "+s.path)
	}
	name := bang.interpreter
	words, byPath := bang.fromPath()
	if byPath {
		name = words[0]
	}
	path, ok := h.executables.find(name)
	if !ok {
		major, isPython := pythonVersion(name)
		if isPython && major == 2 {
			return program{}, badGateway(s.path+":1: the script is written for Python 2, which is not installed", python2Hint)
		}
		if !isPython {
			return program{}, noInterpreter(name)
		}
		if path, ok = h.executables.find(h.config.Python); !ok {
			return program{}, noInterpreter(h.config.Python)
		}
		args := []string{h.config.Python}
		switch {
		case byPath:
			args = append(args, words[1:]...)
		case bang.argument != "":
			args = append(args, bang.argument)
		}
		p := program{path: path, args: append(args, s.path), words: true}
		if len(args) == 1 {
			p.python = path
		}
		return p, nil
	}
	p := program{path: s.path, args: []string{s.path}, words: true}
	plain := bang.argument == ""
	if byPath {
		p.path, p.args = path, append(words, s.path)
		plain = len(words) == 1
	}
	if plain && isPython3(name) {
		p.python = path
	}
	return p, nil
}

func noInterpreter(name string) *failure {
	return &failure{
		status: http.StatusBadGateway,
		reason: fmt.Sprintf("the script's interpreter %s is not there or may not be executed", name),
		hint:   "install it, or name another in the script's first line",
	}
}

// remembered is how long it is taken for true where a program lies.
const remembered = time.Second

// executables knows which programs PATH holds. Safe for concurrent use.
type executables struct {
	path string // the scripts' PATH

	mu    sync.Mutex
	found map[string]foundExecutable
}

type foundExecutable struct {
	path string // "" if there is none
	at   time.Time
}

// maxRemembered bounds how many names are remembered: there are few, but they
// come from files.
const maxRemembered = 256

// find returns the path of the program called name, which is looked up in PATH
// if it has no slash.
func (e *executables) find(name string) (path string, ok bool) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.found[name]; ok && now.Sub(known.at) < remembered {
		return known.path, known.path != ""
	}
	if e.found == nil || len(e.found) >= maxRemembered {
		e.found = map[string]foundExecutable{}
	}
	path = e.look(name)
	e.found[name] = foundExecutable{path, now}
	return path, path != ""
}

func (e *executables) look(name string) string {
	if strings.Contains(name, "/") {
		if filepath.IsAbs(name) && isExecutable(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(e.path) {
		// A folder without a slash in front would be another for each script.
		if path := filepath.Join(dir, name); name != "" && filepath.IsAbs(path) && isExecutable(path) {
			return path
		}
	}
	return ""
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
