package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/spelling"
)

// FileName is the configuration file of a project. ProjectFile may hold the same
// in the table that ToolTable names.
const (
	FileName    = "gatehouse.toml"
	ProjectFile = "pyproject.toml"
	ToolTable   = "tool.gatehouse"
)

// maxFile bounds a configuration file; those that people write are smaller. The
// library compares each name with those before it in its table: a file of 1 MB
// that is made for it takes half a minute, one of this size a second.
const maxFile = 256 << 10

// file is a configuration file that was read.
type file struct {
	path    string // as people are to read it
	dir     string // absolute: what relative paths start from
	prefix  string // ToolTable in a pyproject.toml
	table   *node
	trusted bool // see Source.Trust
}

// readFile reads the configuration in path; nil if that is a pyproject.toml
// without any. The error is a *FileError or the file system's.
func readFile(path string, trust func(fs.FileInfo) bool) (*file, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	src, err := readLimited(f, path, maxFile)
	if err != nil {
		return nil, err
	}
	read, err := parseFile(path, src)
	if read != nil {
		read.trusted, err = trusts(trust, info, filepath.Dir(path))
	}
	return read, err
}

// trusts reports whether the file and the folder that it lies in are trusted:
// whoever can write the folder can put another file, or a link, in its place.
func trusts(trust func(fs.FileInfo) bool, file fs.FileInfo, dir string) (bool, error) {
	if trust == nil {
		return true, nil
	}
	folder, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	return trust(file) && trust(folder), nil
}

// parseFile is readFile for a file's content.
func parseFile(path string, src []byte) (*file, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("config: resolve %s: %w", path, err)
	}
	f := &file{path: path, dir: dir}
	project := filepath.Base(path) == ProjectFile
	if f.table, err = parse(src); err != nil {
		if project && !bytes.Contains(src, []byte("gatehouse")) {
			return nil, nil // whatever is wrong there is not ours to say
		}
		s, _ := errors.AsType[*syntaxError](err)
		return nil, &FileError{[]Problem{{f.path, s.at.line, s.at.column, s.what}}}
	}
	if !project {
		return f, nil
	}
	f.prefix = ToolTable
	for name := range strings.SplitSeq(ToolTable, ".") {
		if f.table = f.table.child(name); f.table == nil {
			return nil, nil
		}
	}
	if f.table.kind != Table {
		return nil, &FileError{[]Problem{{f.path, f.table.at.line, f.table.at.column, ToolTable + ": expected a table, got " + f.table.describe()}}}
	}
	return f, nil
}

// find reads the configuration file of the project in dir; nil if it has none.
func find(dir string, trust func(fs.FileInfo) bool) (*file, error) {
	own, err := readIfThere(filepath.Join(dir, FileName), trust)
	if err != nil {
		return nil, err
	}
	project, err := readIfThere(filepath.Join(dir, ProjectFile), trust)
	switch {
	case err != nil:
		return nil, err
	case own != nil && project != nil:
		return nil, fmt.Errorf("%s and [%s] in %s:%d both configure the application; keep one of them",
			own.path, ToolTable, project.path, project.table.key.line)
	case own != nil:
		return own, nil
	}
	return project, nil
}

// readIfThere is readFile, or nil where nothing has that name. A link that leads
// nowhere is something; a folder that is not there is for others to tell.
func readIfThere(path string, trust func(fs.FileInfo) bool) (*file, error) {
	f, err := readFile(path, trust)
	if errors.Is(err, fs.ErrNotExist) {
		if _, missing := os.Lstat(path); missing != nil {
			return nil, nil
		}
	}
	return f, err
}

// decoder puts a file's values into a configuration.
type decoder struct {
	file    *file
	config  *Config
	schema  map[string]map[string]*Setting // by table and key
	origins map[string]Origin
	path    string          // of the table that is being read, in origins
	led     map[string]bool // names of applications that routes lead to; nil if there are no sites
	failed  FileError
}

// decode puts what the file says into c and notes in origins from where. overlay
// is called when all is read but sites and what is theirs, to put the command
// line on top: applications begin with what it says. An error that is not
// overlay's is a *FileError; then c is not to be used.
func (f *file) decode(c *Config, origins map[string]Origin, overlay func() error) error {
	d := &decoder{file: f, config: c, schema: schema(), origins: origins}
	d.table(f.table, "")
	if err := overlay(); err != nil {
		return err
	}
	d.beyond(f.table)
	if len(d.failed.Problems) > 0 {
		d.failed.sort()
		return &d.failed
	}
	return nil
}

// schema is the table of settings by where they stand in a file.
func schema() map[string]map[string]*Setting {
	tables := map[string]map[string]*Setting{}
	for _, p := range everyPlace() {
		keys := tables[p.table]
		if keys == nil {
			keys = map[string]*Setting{}
			tables[p.table] = keys
		}
		keys[p.Key()] = p.Setting
	}
	return tables
}

// beyond reads what a plain server does not have.
func (d *decoder) beyond(n *node) {
	apps, sites := n.child("apps"), n.child("sites")
	if sites != nil {
		d.led = ledTo(sites)
	}
	owners := hostOwners{}
	d.folder(owners, n.child("webapps"))
	if apps != nil {
		d.apps(apps)
	}
	if sites != nil {
		if app := n.child("app"); app != nil && app.kind == Table && app.child("app") != nil {
			d.wrong(app.child("app").key, "app: beside [[sites]] an application has a table of its own, [apps.NAME]; [app] is what all of them have")
		}
		d.onlyWebapps()
		d.sites(owners, sites)
	}
}

// onlyWebapps reports keys that nothing has a use for where there are sites alone.
func (d *decoder) onlyWebapps() {
	if d.hasFolder() {
		return
	}
	for _, s := range fileSettings() {
		if o, set := d.origins[s.Name]; set && o.File != "" && s.ForWebapps() {
			d.wrong(position{o.Line, o.Column}, "%s: %s", s.Key(), s.onlyInFolder("there are [[sites]]"))
		}
	}
}

// onlyInFolder says why such a key is of no use for others than applications in a
// folder.
func (s *Setting) onlyInFolder(but string) string {
	what := "it is for applications in a folder of them, and " + but
	if s.HowScripts() {
		what += "; routes to scripts have it as well"
	}
	return what
}

// wrong notes a problem.
func (d *decoder) wrong(at position, format string, args ...any) {
	d.failed.Problems = append(d.failed.Problems, Problem{d.file.path, at.line, at.column, fmt.Sprintf(format, args...)})
}

// enough problems are told of a file that is not meant for us, or not written by
// people.
const enough = 100

// table reads the table of that name; "" is the file itself.
func (d *decoder) table(n *node, name string) {
	for _, key := range n.names {
		if len(d.failed.Problems) == enough {
			return
		}
		child := n.child(key)
		inner := key
		if name != "" {
			inner = name + "." + key
		}
		switch s := d.schema[name][key]; {
		case name == "" && (key == "apps" || key == "sites"): // see beyond
		case s != nil:
			d.put(s, s.Value(d.config), s.Name, child)
		case d.schema[inner] == nil:
			d.unknown(name, key, child)
		case child.kind != Table:
			d.noTable(key, inner, child)
		default:
			d.table(child, inner)
		}
	}
}

// noTable reports that something stands where a table does. A folder of
// applications is one that people write like the flag.
func (d *decoder) noTable(key, table string, n *node) {
	if table == "webapps" && n.kind == Text {
		d.wrong(n.at, "webapps: expected a table, got %s; write it as dir = %s in %s", n.describe(), tomlText(n.text), d.label(table))
		return
	}
	d.wrong(n.at, "%s: expected a table, got %s", key, n.describe())
}

// label is how a table is called in its file.
func (d *decoder) label(table string) string {
	switch {
	case d.file.prefix == "":
		return "[" + table + "]"
	case table == "":
		return "[" + d.file.prefix + "]"
	}
	return "[" + d.file.prefix + "." + table + "]"
}

// unknown says what may have been meant.
func (d *decoder) unknown(table, key string, n *node) {
	what := fmt.Sprintf("unknown key %s", quoted(key))
	in := ""
	if table != "" || d.file.prefix != "" {
		in = " in " + d.label(table)
	}
	// Those whose keys mean something else in other tables are not proposed.
	tables := slices.DeleteFunc(plainTables(), func(t string) bool { return t == "webapps" })
	if table == "" && n.kind == Table {
		what, in = "unknown table "+d.label(key), ""
		if near := spelling.Nearest(key, slices.Concat(plainTables(), []string{"apps", headersTable, "sites"})); near != "" {
			d.wrong(n.key, "%s; did you mean %s?", what, d.label(near))
			return
		}
	}
	for _, home := range tables {
		if d.schema[home][key] == nil {
			continue
		}
		if home == "" && d.file.prefix == "" {
			d.wrong(n.key, "%s%s; it belongs above all tables", what, in)
		} else {
			d.wrong(n.key, "%s%s; it belongs in %s", what, in, d.label(home))
		}
		return
	}
	if near := spelling.Nearest(key, slices.Sorted(maps.Keys(d.schema[table]))); near != "" {
		d.wrong(n.key, "%s%s; did you mean %q?", what, in, near)
		return
	}
	d.wrong(n.key, "%s%s", what, in)
}

// put reads one value into v, and notes under name where it stands.
func (d *decoder) put(s *Setting, v Value, name string, n *node) {
	if s.Guarded && !d.file.trusted {
		how := "name the file with --config"
		if s.Flag != 0 {
			how = "use --" + s.Name + ", or " + how
		}
		d.wrong(n.key, "%s: started by root, it is not taken from a file that others can write or replace; %s", s.Key(), how)
		return
	}
	kinds := kindsOf(v)
	switch {
	case n.kind&kinds == 0:
		d.wrong(n.at, "%s: expected %s, got %s", s.Key(), expected(v), n.describe())
		return
	case n.kind == Table:
		v.(tabled).readTable(d, n)
	case n.kind == Array:
		d.array(s, v, n)
	case n.kind == Text && n.text == "":
		d.wrong(n.at, "%s: the text is empty; leave the key out for the default", s.Key())
		return
	case n.kind == Text && isNumber(kinds, n.text):
		d.wrong(n.at, "%s: expected the number without quotes, got %s", s.Key(), n.describe())
		return
	default:
		if err := v.Set(n.text); err != nil {
			d.wrong(n.at, "%s: %v", s.Key(), err)
			return
		}
	}
	if p, ok := v.(rooted); ok {
		p.root(d.file.dir)
	}
	place := n.at
	if !strings.Contains(name, ".") {
		place = n.key
	}
	d.note(name, place)
}

// array reads a list, which is what can be repeated on the command line.
func (d *decoder) array(s *Setting, v Value, n *node) {
	if len(n.items) == 0 {
		d.wrong(n.at, "%s: the array is empty; leave the key out for the default", s.Key())
	}
	for _, item := range n.items {
		if item.kind != Text {
			d.wrong(item.at, "%s: expected %s, got %s in it", s.Key(), expected(v), item.describe())
		} else if err := v.Set(item.text); err != nil {
			d.wrong(item.at, "%s: %v", s.Key(), err)
		}
	}
}

// readTable implements tabled.
func (v *variablesValue) readTable(d *decoder, n *node) {
	for _, name := range n.names {
		child := n.child(name)
		if !isVariable(name) {
			d.wrong(child.key, "%s is no name of a variable; use letters, digits and _", quoted(name))
			continue
		}
		if variable, ok := d.variable(name, child); ok {
			*v.p = append(*v.p, variable)
		}
	}
}

// variable reads one of them.
func (d *decoder) variable(name string, n *node) (v Variable, ok bool) {
	v.Name = name
	switch n.kind {
	case Text:
		v.Value = n.text
	case Integer:
		d.wrong(n.at, "%s: a variable is a text; write %q", name, n.text)
		return v, false
	case Table:
		if !d.source(&v, n) {
			return v, false
		}
	default:
		d.wrong(n.at, `%s: expected a text, { file = "PATH" } or { env = "NAME" }, got %s`, name, n.describe())
		return v, false
	}
	if strings.ContainsRune(v.Value+v.File+v.From, 0) {
		d.wrong(n.at, "%s: a variable cannot hold a zero byte", name)
		return v, false
	}
	return v, true
}

// source reads where a variable's value lies.
func (d *decoder) source(v *Variable, n *node) bool {
	if len(n.names) != 1 {
		d.wrong(n.at, `%s: expected one of { file = "PATH" } and { env = "NAME" }`, v.Name)
		return false
	}
	key := n.names[0]
	child := n.child(key)
	switch {
	case key != "file" && key != "env":
		d.wrong(child.key, `%s: unknown key %s; expected { file = "PATH" } or { env = "NAME" }`, v.Name, quoted(key))
		return false
	case child.kind != Text || child.text == "":
		d.wrong(child.at, "%s: %s: expected a text, got %s", v.Name, key, child.describe())
		return false
	case key == "env":
		v.From = child.text
	default:
		v.File = under(d.file.dir, child.text)
	}
	return true
}

// under is path as it is meant by something that lies in dir.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// isNumber reports whether text is a number of one of these kinds, as in a file.
func isNumber(kinds Kind, text string) bool {
	if kinds&Fraction != 0 {
		_, err := strconv.ParseFloat(text, 64)
		return err == nil
	}
	return kinds&Integer != 0 && text != "" && strings.Trim(text, "0123456789") == ""
}
