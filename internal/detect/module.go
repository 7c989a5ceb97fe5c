package detect

import (
	"path/filepath"
	"slices"
	"strings"
)

// module is one Python file, as far as its top level tells.
type module struct {
	name     string // dotted, as the application is imported
	file     string // absolute
	isPkg    bool   // file is the __init__.py of the package name
	code     []statement
	imports  map[string]string // local name → dotted origin, in any block
	origins  []string          // the same origins in order of appearance
	bindings []binding         // top level only, in order
}

// form is how a name came to be bound.
type form uint8

const (
	assigned  form = iota // value is the right-hand side
	function              // value is the parameter list
	coroutine             // value is the parameter list
	class                 // value is empty
	imported              // value is the dotted origin
)

// binding is one name of a module's top level.
type binding struct {
	name  string
	form  form
	value string
	line  int
}

// loadModule reads the file of the module name below root: name.py or
// name/__init__.py. It returns nil where neither is a readable file: what
// cannot be looked at is no candidate.
func loadModule(root, name string) *module {
	if !isDotted(name) {
		return nil // nor may the name of an import lead out of root
	}
	base := filepath.Join(root, filepath.FromSlash(strings.ReplaceAll(name, ".", "/")))
	m := &module{name: name, file: base + ".py"}
	src, err := readFile(m.file)
	if err != nil {
		m.isPkg = true
		m.file = filepath.Join(base, "__init__.py")
		if src, err = readFile(m.file); err != nil {
			return nil
		}
	}
	m.parse(src)
	return m
}

func (m *module) parse(src []byte) {
	m.code = scan(src)
	m.imports = map[string]string{}
	for _, s := range m.code {
		bound := m.bound(s)
		for _, b := range bound {
			if b.form != imported {
				continue
			}
			m.origins = append(m.origins, b.value)
			if _, ok := m.imports[b.name]; !ok || s.indent == 0 {
				m.imports[b.name] = b.value
			}
		}
		if s.indent == 0 {
			m.bindings = append(m.bindings, bound...)
		}
	}
}

// bound lists the names that the statement binds.
func (m *module) bound(s statement) []binding {
	word, rest, _ := strings.Cut(s.code, " ")
	switch word {
	case "from":
		return m.boundFrom(rest, s.line)
	case "import":
		return boundImport(rest, s.line)
	case "def":
		return boundDef(rest, function, s.line)
	case "async":
		if def, ok := strings.CutPrefix(rest, "def "); ok {
			return boundDef(def, coroutine, s.line)
		}
		return nil
	case "class":
		return []binding{{name: leadingIdent(rest), form: class, line: s.line}}
	}
	return boundAssign(s.code, s.line)
}

// boundFrom reads what follows "from": X import a, b as c.
func (m *module) boundFrom(rest string, line int) []binding {
	from, names, ok := strings.Cut(rest, "import")
	if !ok {
		return nil
	}
	from = m.absolute(strings.TrimSpace(from))
	names = strings.Trim(names, " ()")
	var out []binding
	for item := range strings.SplitSeq(names, ",") {
		name, alias := cutAs(item)
		if name == "" || name == "*" {
			continue
		}
		out = append(out, binding{name: alias, form: imported, value: from + "." + name, line: line})
	}
	return out
}

// absolute resolves the leading dots of a relative import.
func (m *module) absolute(from string) string {
	name := strings.TrimLeft(from, ".")
	up := len(from) - len(name)
	if up == 0 {
		return name
	}
	parts := strings.Split(m.name, ".")
	if !m.isPkg {
		parts = parts[:len(parts)-1]
	}
	parts = parts[:max(len(parts)-(up-1), 0)]
	if name != "" {
		parts = append(slices.Clone(parts), name)
	}
	return strings.Join(parts, ".")
}

// boundImport reads what follows "import": a.b, c as d.
func boundImport(rest string, line int) []binding {
	var out []binding
	for item := range strings.SplitSeq(rest, ",") {
		name, alias := cutAs(item)
		if name == "" {
			continue
		}
		if alias == name { // "import a.b" binds a
			alias, _, _ = strings.Cut(name, ".")
			name = alias
		}
		out = append(out, binding{name: alias, form: imported, value: name, line: line})
	}
	return out
}

// cutAs splits "name as alias"; without an alias both are the name.
func cutAs(item string) (name, alias string) {
	name, alias, ok := strings.Cut(strings.TrimSpace(item), " as ")
	if !ok {
		return name, name
	}
	return strings.TrimSpace(name), strings.TrimSpace(alias)
}

// boundDef reads what follows "def": name(parameters) -> T: …
func boundDef(rest string, f form, line int) []binding {
	name := leadingIdent(rest)
	rest = strings.TrimSpace(rest[len(name):])
	if name == "" || !strings.HasPrefix(rest, "(") {
		return nil
	}
	return []binding{{name: name, form: f, value: inBrackets(rest), line: line}}
}

// boundAssign reads "a = b = value" and "a: T = value".
func boundAssign(code string, line int) []binding {
	var out []binding
	for {
		name := leadingIdent(code)
		rest := strings.TrimLeft(code[len(name):], " ")
		if name == "" || rest == "" {
			break
		}
		if rest[0] == ':' {
			eq := indexOutside(rest, '=')
			if eq < 0 || rest[1] == '=' { // no value, or ":="
				break
			}
			rest = rest[eq:]
		}
		if rest[0] != '=' || strings.HasPrefix(rest, "==") {
			break
		}
		code = strings.TrimLeft(rest[1:], " ")
		out = append(out, binding{name: name, form: assigned, line: line})
	}
	for i := range out {
		out[i].value = code
	}
	return out
}

// callee is the full dotted name of what expr calls, or names if it calls
// nothing: "Flask($)" is flask.Flask after "from flask import Flask". A chain
// such as "a.b(c).d()" gives its last method behind "()". Empty where expr is
// anything else.
func (m *module) callee(expr string) string {
	name := leadingDotted(expr)
	if name == "" {
		return ""
	}
	rest := strings.TrimLeft(expr[len(name):], " ")
	for strings.HasPrefix(rest, "(") {
		after := strings.TrimLeft(rest[len(inBrackets(rest))+1:], " )")
		method, ok := strings.CutPrefix(after, ".")
		if !ok {
			break
		}
		dotted := leadingDotted(method)
		if dotted == "" {
			break
		}
		name += "()." + dotted
		rest = strings.TrimLeft(method[len(dotted):], " ")
	}
	first, others, dotted := strings.Cut(name, ".")
	if origin, ok := m.imports[first]; ok {
		first = origin
	}
	if dotted {
		return first + "." + others
	}
	return first
}

// lookup is the last binding of name at the top level.
func (m *module) lookup(name string) (binding, bool) {
	for _, b := range slices.Backward(m.bindings) {
		if b.name == name {
			return b, true
		}
	}
	return binding{}, false
}

// leadingIdent is the identifier that code begins with.
func leadingIdent(code string) string {
	n := 0
	for n < len(code) && isIdent(code[n]) {
		n++
	}
	if n > 0 && '0' <= code[0] && code[0] <= '9' {
		return ""
	}
	return code[:n]
}

// leadingDotted is the dotted name that code begins with.
func leadingDotted(code string) string {
	name := leadingIdent(code)
	for name != "" && strings.HasPrefix(code[len(name):], ".") {
		next := leadingIdent(code[len(name)+1:])
		if next == "" {
			break
		}
		name += "." + next
	}
	return name
}

// inBrackets is the text between the bracket that code begins with and the one
// that closes it, or the end.
func inBrackets(code string) string {
	depth := 0
	for i := range len(code) {
		switch code[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return code[1:i]
			}
		}
	}
	return code[1:]
}

// indexOutside is the index of the first c outside brackets, or -1.
func indexOutside(code string, c byte) int {
	depth := 0
	for i := range len(code) {
		switch b := code[i]; {
		case b == c && depth == 0:
			return i
		case b == '(' || b == '[' || b == '{':
			depth++
		case b == ')' || b == ']' || b == '}':
			depth--
		}
	}
	return -1
}
