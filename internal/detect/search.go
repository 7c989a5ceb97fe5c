package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// search looks for an application that nobody named.
func (f *finder) search() error {
	found, err := f.here()
	if err != nil || found {
		return err
	}
	return f.nothing()
}

// here takes the folder's own application, if it has one.
func (f *finder) here() (bool, error) {
	roots := importRoots(f.res.Dir)
	if slices.ContainsFunc(roots, f.django) {
		return true, nil
	}
	for _, root := range roots {
		c, err := f.application(root)
		if err != nil {
			return false, err
		}
		if c != nil {
			f.take(root, c)
			return true, nil
		}
	}
	return false, nil
}

// importRoots are the folders that applications in dir are imported from: dir
// itself, and src where that is no package.
func importRoots(dir string) []string {
	src := filepath.Join(dir, "src")
	if len(subfolders(src)) == 0 && !isFile(filepath.Join(src, "manage.py")) || isFile(filepath.Join(src, "__init__.py")) {
		return []string{dir}
	}
	return []string{dir, src}
}

// tier is one stage of the search. The first tier that holds an application
// decides: a WSGI one is taken, several groups with one each are ambiguous, and
// one that speaks ASGI only is an error rather than a reason to look further.
type tier struct {
	groups [][]string // module names; the first hit of a group stands for it
	sure   bool       // only what a framework's constructor made counts
}

// tiers lists the stages for root: the usual module names, packages, then any
// other module.
func tiers(root string) []tier {
	usual := []string{"wsgi", "app", "main", "application"}
	out := []tier{{groups: [][]string{usual}}, {}, {sure: true}}
	for _, pkg := range subfolders(root) {
		// Without __init__.py it is likelier a project of its own, whose modules
		// import each other from there.
		if leadingIdent(pkg) != pkg || !isFile(filepath.Join(root, pkg, "__init__.py")) {
			continue
		}
		out[1].groups = append(out[1].groups, []string{pkg + ".wsgi", pkg, pkg + ".app", pkg + ".main"})
	}
	entries, err := listing(root)
	if err != nil {
		return out
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".py")
		if ok && leadingIdent(name) == name && !slices.Contains(usual, name) && !strings.HasPrefix(name, "test") {
			out[2].groups = append(out[2].groups, []string{name})
		}
	}
	return out
}

// application searches root's modules; nil, nil where it holds none.
func (f *finder) application(root string) (*candidate, error) {
	for _, t := range tiers(root) {
		var found []*candidate
		for _, group := range t.groups {
			if c := best(root, group, t.sure); c != nil {
				found = append(found, c)
			}
		}
		hosted := slices.DeleteFunc(slices.Clone(found), func(c *candidate) bool { return c.framework.ASGI() })
		switch {
		case len(hosted) == 1:
			return hosted[0], nil
		case len(hosted) > 1:
			return nil, f.ambiguous(hosted)
		case len(found) > 0:
			return nil, f.asgi(found[0])
		}
	}
	return nil, nil
}

// best is the group's first WSGI candidate, else its first ASGI one, else nil.
func best(root string, group []string, sure bool) *candidate {
	var second *candidate
	for _, name := range group {
		m := loadModule(root, name)
		if m == nil {
			continue
		}
		c := m.candidate(root)
		switch {
		case c == nil || sure && !c.sure:
		case !c.framework.ASGI():
			return c
		case second == nil:
			second = c
		}
	}
	return second
}

// take makes the candidate the result.
func (f *finder) take(root string, c *candidate) {
	f.res.ImportDir = root
	f.res.Framework = c.framework
	f.res.App = c.app()
	f.res.Files = append(f.res.Files, f.rel(c.module.file))
	if pkg, _, ok := strings.Cut(c.module.name, "."); ok || c.module.isPkg {
		f.res.Name = pkg
	}
	if c.framework == Django {
		f.settingsOf(c.module)
	}
	f.because(c.module.file, c.line, "%s application %s", c.framework, c.app())
	if root != f.res.Dir {
		f.because("", 0, "imported from %s/", f.rel(root))
	}
}

// named takes the application that the operator named. Where a search finds the
// same, it is taken with all that the search tells about it: what Django's
// manage.py says does not stand in the module that was named.
func (f *finder) named(name Named) error {
	app := name.Value
	search := &finder{res: f.res, settings: f.settings}
	if found, err := search.here(); err == nil && found && search.res.App == app {
		f.res = search.res
		f.because(name.File, name.Line, "application %s, as named", app)
		return nil
	}
	mod, expr, colon := strings.Cut(app, ":")
	callable := strings.TrimSuffix(expr, "()")
	if !isDotted(mod) || colon && !isDotted(callable) {
		return &Error{
			Path: app, Err: fmt.Errorf("%w: not of the form module:callable", ErrNothing),
			Hint: "such as shop.wsgi:application, or shop:create_app()",
		}
	}
	f.because(name.File, name.Line, "application %s, as named", app)
	for _, root := range importRoots(f.res.Dir) {
		m := loadModule(root, mod)
		if m == nil {
			continue
		}
		c := m.candidate(root)
		if colon {
			c = m.wanted(root, expr)
		}
		if c == nil {
			return &Error{
				Path: f.rel(m.file), Err: fmt.Errorf("%w: no application in this module", ErrNothing),
				Looked: []string{"a top-level application, app, or create_app()"},
				Hint:   "name it: " + mod + ":callable",
			}
		}
		if c.framework.ASGI() {
			return f.asgi(c)
		}
		f.take(root, c)
		return nil
	}
	if !colon {
		return &Error{
			Path: f.res.Dir, Err: fmt.Errorf("%w: no module %s", ErrNothing, mod),
			Hint: "a module that is installed elsewhere needs its callable: " + mod + ":callable",
		}
	}
	// Installed in the environment, perhaps: the import will tell.
	f.res.ImportDir, f.res.Framework, f.res.App = f.res.Dir, Plain, app
	f.res.Name, _, _ = strings.Cut(mod, ".")
	return nil
}

// wanted is the candidate for an expression that the operator wrote. It is
// taken at his word where the file does not tell.
func (m *module) wanted(root, expr string) *candidate {
	c := &candidate{module: m, expr: expr, framework: m.framework()}
	b, ok := m.lookup(leadingIdent(expr))
	if !ok {
		return c
	}
	c.line = b.line
	if found := m.judge(root, b, maxHops); found != nil && b.name == expr {
		c.framework = found.framework
	}
	return c
}

// isDotted reports whether s is identifiers joined by dots.
func isDotted(s string) bool { return s != "" && leadingDotted(s) == s }

// ambiguous is the error for several applications of equal right.
func (f *finder) ambiguous(found []*candidate) error {
	e := &Error{Path: f.res.Dir, Err: ErrAmbiguous, Hint: "name one, such as " + found[0].app()}
	var names []string
	for _, c := range found {
		names = append(names, c.app())
	}
	e.Err = fmt.Errorf("%w: %s", ErrAmbiguous, strings.Join(names, ", "))
	return e
}

// asgi is the error for an application that is recognised but not hosted.
func (f *finder) asgi(c *candidate) error {
	err := fmt.Errorf("a %s application, %s; %w", c.framework, c.app(), ErrASGI)
	if c.framework == PlainASGI {
		err = fmt.Errorf("an ASGI application, %s; %w", c.app(), ErrASGI)
	}
	return &Error{
		Path: fmt.Sprintf("%s:%d", f.rel(c.module.file), c.line), Err: err,
		Hint: "this version runs WSGI applications; name one as module:callable if the project has one",
	}
}

// nothing is the error for a folder without an application, with what would
// have been one.
func (f *finder) nothing() error {
	e := &Error{Path: f.res.Dir, Err: ErrNothing, Looked: []string{
		"manage.py                                   a Django project",
		"wsgi.py, app.py, main.py, application.py    application, app, or create_app()",
		"a package with one of these, or in src/     the same in its __init__.py",
		"any other .py file                          a Flask, Bottle, Falcon or Pyramid application",
	}}
	if below := f.below(); len(below) > 0 {
		name, _, _ := strings.Cut(below[0], " ")
		e.Hint = "there are applications in " + strings.Join(below, ", ") + "; such as: gatehouse run " + name
		return e
	}
	if isFile(filepath.Join(f.res.Dir, "index.html")) {
		e.Hint = "there is an index.html: gatehouse without run serves the folder's files"
	}
	return e
}

// below names the subfolders that hold an application, as "shop (Django)".
func (f *finder) below() []string {
	var out []string
	for _, name := range subfolders(f.res.Dir) {
		inner := &finder{res: Result{Dir: filepath.Join(f.res.Dir, name)}}
		if found, err := inner.here(); err == nil && found {
			out = append(out, fmt.Sprintf("%s (%s)", name, inner.res.Framework))
		}
	}
	return out
}
