package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Line is a setting as a file has it.
type Line struct {
	Table string // "" above all tables; see tableHead
	Key   string // "" for a table that may be empty
	Value string // in TOML
	Why   string // a comment; may be empty
}

// TextLine is a setting whose value is a text.
func TextLine(table, key, text, why string) Line {
	return Line{Table: table, Key: key, Value: tomlText(text), Why: why}
}

// Lines are the settings of the configuration that are not at their defaults, in
// the order of a file.
func (l *Loaded) Lines() []Line {
	std, c := Default(), l.Config
	var lines []Line
	for _, s := range fileSettings() {
		v, usual := s.Value(&c), s.Value(&std)
		why := l.Why(s.Name)
		if t, ok := v.(tabled); ok {
			for _, line := range t.tableLines() {
				line.Table, line.Why = innerTable(s.Table(), s.Key()), why
				lines = append(lines, line)
			}
			continue
		}
		if p, ok := v.(rooted); ok && v.String() != usual.String() {
			// Typed on the command line a path starts elsewhere than in a file.
			if here, err := filepath.Abs("."); err == nil {
				p.root(here)
			}
		}
		if v.String() != usual.String() {
			lines = append(lines, Line{Table: s.Table(), Key: s.Key(), Value: tomlOf(v), Why: why})
		}
	}
	return append(lines, c.siteLines(l.Why)...)
}

// Why says where the setting of that name was set; empty for its default.
func (l *Loaded) Why(name string) string {
	switch o, ok := l.Origin(name); {
	case !ok:
		return ""
	case o.File == "":
		return "from the command line"
	default:
		return fmt.Sprintf("from %s:%d", o.File, o.Line)
	}
}

// Format writes lines as a file, those of a table together and the comments in
// one column.
func Format(lines []Line) string {
	var b strings.Builder
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b Line) int { return tableRank(a.Table) - tableRank(b.Table) })
	width := 0
	for _, l := range lines {
		width = max(width, len(l.Key)+len(" = ")+len(l.Value))
	}
	table := ""
	for _, l := range lines {
		if l.Table != table {
			table = l.Table
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(tableHead(table) + "\n")
		}
		if l.Key == "" {
			continue
		}
		text := l.Key + " = " + l.Value
		if l.Why != "" {
			text = fmt.Sprintf("%-*s  # %s", min(width, maxColumn), text, comment(l.Why))
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// comment keeps a text within its comment: names of files can hold anything.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// maxColumn bounds how far comments are pushed to the right by long values.
const maxColumn = 48

// tableHead is the line that a table begins with. An array of tables has a number
// behind its name, with a number sign: sites#0, sites.routes#0.1.
func tableHead(table string) string {
	if !isArray(table) {
		return "[" + table + "]"
	}
	name, rest, _ := strings.Cut(table, "#")
	if _, inner, ok := strings.Cut(rest, ":"); ok {
		return "[" + name + "." + inner + "]"
	}
	return "[[" + name + "]]"
}

// isArray reports whether it is a table of an array. A number sign may also stand
// in the name of an application.
func isArray(table string) bool {
	return strings.HasPrefix(table, "sites") && strings.Contains(table, "#")
}

// innerTable is a table in another, which may be an array's, or one of its own.
func innerTable(table, key string) string {
	switch {
	case table == "":
		return key
	case isArray(table):
		return table + ":" + key
	}
	return table + "." + key
}

// tableRank is the order of tables in a file, those of a table behind it.
func tableRank(table string) int {
	if strings.HasPrefix(table, "apps.") || strings.HasPrefix(table, "sites") {
		return 2 * tableOrder("sites") // in their order
	}
	outer, _, inner := strings.Cut(table, ".")
	rank := 2 * tableOrder(outer)
	if inner {
		rank++
	}
	return rank
}

// Changed are the keys of settings that differ between two configurations and
// of which keep says that they matter. Sites and their applications are not
// among them.
func Changed(a, b *Config, keep func(*Setting) bool) []string {
	var keys []string
	for _, s := range fileSettings() {
		if keep(&s) && !reflect.DeepEqual(s.Value(a), s.Value(b)) {
			key := s.Key()
			if s.FileKey != "" { // it means nothing without its table
				key = "[" + s.Table() + "] " + key
			}
			keys = append(keys, key)
		}
	}
	return keys
}
