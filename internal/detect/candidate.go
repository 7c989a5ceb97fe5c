package detect

import (
	"slices"
	"strings"
)

// candidate is something in a module that looks like an application.
type candidate struct {
	module    *module
	expr      string // the name, with "()" behind a factory's
	framework Framework
	line      int
	sure      bool // a framework's own constructor, not just a name that fits
}

// app is the candidate as "module:callable".
func (c *candidate) app() string { return c.module.name + ":" + c.expr }

// like is c with what is known of original, which it is another name of; nil if
// that is no application.
func (c *candidate) like(original *candidate) *candidate {
	if original == nil {
		return nil
	}
	c.framework, c.sure = original.framework, original.sure
	return c
}

// maxHops bounds how many imports are followed to the place where a name is
// bound; it also ends circles.
const maxHops = 5

// candidate picks the module's application: by name first (application, app),
// then whatever a framework's constructor made, then a factory. nil if there is
// none.
func (m *module) candidate(root string) *candidate {
	for _, name := range []string{"application", "app"} {
		if b, ok := m.lookup(name); ok {
			if c := m.judge(root, b, maxHops); c != nil {
				return c
			}
		}
	}
	for _, b := range m.bindings {
		if b.form != assigned {
			continue
		}
		if c := m.judge(root, b, maxHops); c != nil && c.sure {
			return c
		}
	}
	for _, name := range []string{"create_app", "make_app", "create_application", "make_application"} {
		b, ok := m.lookup(name)
		if !ok || b.form != function || len(required(b.value)) > 0 {
			continue
		}
		if fw := m.framework(); fw != Plain {
			return &candidate{module: m, expr: name + "()", framework: fw, line: b.line}
		}
	}
	return nil
}

// judge says whether the binding is an application; nil if not. Imports from
// the project itself are followed at most hops times.
func (m *module) judge(root string, b binding, hops int) *candidate {
	c := &candidate{module: m, expr: b.name, line: b.line}
	if hops == 0 {
		return nil
	}
	switch b.form {
	case assigned:
		return m.judgeValue(root, c, b, hops)
	case function, coroutine:
		c.framework = spoken(b)
	case class:
		if b.name == "application" { // PEP 3333 allows a class to be the callable
			c.framework = Plain
		}
	case imported:
		return m.judgeImport(root, c, b.value, hops)
	}
	if c.framework == "" {
		return nil
	}
	return c
}

// judgeValue is judge for the right-hand side of an assignment.
func (m *module) judgeValue(root string, c *candidate, b binding, hops int) *candidate {
	callee := m.callee(b.value)
	if fw, ok := made(callee); ok {
		c.framework, c.sure = fw, true
		return c
	}
	if !strings.Contains(b.value, "(") {
		return m.judgeAlias(root, c, b, hops)
	}
	switch callee {
	case "", "lambda", "not", "await":
		return nil
	}
	// app = create_app(), app = Wrapper(app): a name that fits, bound to what
	// some call returns.
	c.framework = m.framework()
	if c.framework == Plain {
		c.framework = source(root, callee, hops)
	}
	return c
}

// judgeAlias is judge for another name of something in the module:
// application = app.
func (m *module) judgeAlias(root string, c *candidate, b binding, hops int) *candidate {
	other, ok := m.lookup(b.value)
	if !ok || other.name == b.name {
		return nil
	}
	return c.like(m.judge(root, other, hops-1))
}

// source is what the imports of the project's module suggest in which the dotted
// name is defined, imports of the name itself followed.
func source(root, dotted string, hops int) Framework {
	home := moduleOf(root, dotted, hops)
	if home == nil {
		return Plain
	}
	_, name := cutLast(dotted)
	if b, ok := home.lookup(name); ok && b.form == imported {
		return source(root, b.value, hops-1)
	}
	return home.framework()
}

// judgeImport is judge for a name imported from origin. One that comes from
// outside the project counts only where it is called application: an "app" may
// be anything.
func (m *module) judgeImport(root string, c *candidate, origin string, hops int) *candidate {
	home := moduleOf(root, origin, hops)
	if home == nil {
		if c.expr != "application" {
			return nil
		}
		c.framework = m.framework()
		return c
	}
	_, name := cutLast(origin)
	b, ok := home.lookup(name)
	if !ok {
		return nil // a submodule, or computed
	}
	return c.like(home.judge(root, b, hops-1))
}

// moduleOf loads the project's module that the dotted name lives in, nil if
// that is none of the project's.
func moduleOf(root, dotted string, hops int) *module {
	home, _ := cutLast(dotted)
	if home == "" || hops == 0 || strings.Contains(home, "()") {
		return nil
	}
	return loadModule(root, home)
}

// framework is what the module's imports suggest, Plain if nothing.
func (m *module) framework() Framework {
	for _, origin := range m.origins {
		if fw, ok := suggested(origin); ok {
			return fw
		}
	}
	return Plain
}

// spoken tells the interface of a function called app or application by its
// parameters: two make WSGI, three make ASGI. Empty for others.
func spoken(b binding) Framework {
	switch need := required(b.value); {
	case len(need) == 3 && slices.Equal(need, []string{"scope", "receive", "send"}), b.form == coroutine && len(need) == 3:
		return PlainASGI
	case len(need) == 2 && b.form == function:
		return Plain
	}
	return ""
}

// required lists the parameters of a parameter list that have no default.
func required(params string) []string {
	var out []string
	for params != "" {
		end := indexOutside(params, ',')
		if end < 0 {
			end = len(params)
		}
		p := strings.TrimSpace(params[:end])
		params = params[min(end+1, len(params)):]
		if p == "" || p == "/" || strings.HasPrefix(p, "*") || indexOutside(p, '=') >= 0 {
			continue
		}
		out = append(out, leadingIdent(p))
	}
	return out
}

// cutLast splits a dotted name before its last part.
func cutLast(dotted string) (home, name string) {
	i := strings.LastIndexByte(dotted, '.')
	if i < 0 {
		return "", dotted
	}
	return dotted[:i], dotted[i+1:]
}
