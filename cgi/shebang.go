package cgi

import (
	"bytes"
	"path"
	"strings"
)

// A shebang is the first line of a script, which names its interpreter.
type shebang struct {
	interpreter string // a path
	argument    string // all that follows it, "" if nothing does
	windows     bool   // the line ends in CRLF
}

// parseShebang returns the shebang at the start of a script, if there is one.
func parseShebang(start []byte) (shebang, bool) {
	line, ok := bytes.CutPrefix(start, []byte("#!"))
	if !ok {
		return shebang{}, false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	text, windows := strings.CutSuffix(string(line), "\r")
	text = strings.Trim(text, " \t")
	var s shebang
	s.windows = windows
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		s.interpreter, s.argument = text[:i], strings.TrimLeft(text[i:], " \t")
	} else {
		s.interpreter = text
	}
	return s, true
}

// fromPath returns the command that the shebang has env look up in PATH, and
// false if there is no env in it or one that is asked for more.
func (s shebang) fromPath() (words []string, ok bool) {
	if path.Base(s.interpreter) != "env" {
		return nil, false
	}
	words = strings.Fields(s.argument)
	switch {
	case len(words) > 1 && words[0] == "-S" && !strings.ContainsAny(s.argument, `'"\$#`):
		words = words[1:] // split the rest at white space
	case len(words) != 1:
		return nil, false
	}
	if strings.HasPrefix(words[0], "-") || strings.ContainsAny(words[0], "=/") {
		return nil, false
	}
	return words, true
}

// pythonVersion returns the major version that the name of an interpreter asks
// for, 0 if any Python will do, and false if it is not Python.
func pythonVersion(name string) (major byte, ok bool) {
	version, ok := strings.CutPrefix(path.Base(name), "python")
	if !ok || strings.Trim(version, "0123456789.") != "" {
		return 0, false
	}
	if version == "" {
		return 0, true
	}
	return version[0] - '0', true
}

// isPython3 reports whether an interpreter's name is that of a Python that is not
// one of old.
func isPython3(name string) bool {
	major, ok := pythonVersion(name)
	return ok && (major == 0 || major >= 3)
}
