package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Kind is a set of the types that a value in a file may have. Several in one
// say that a setting takes any of them.
type Kind uint8

// The types of TOML, as far as settings have them.
const (
	Text Kind = 1 << iota
	Integer
	Boolean
	Array
	Table
	Tables   // an array of tables
	Fraction // a number with a fraction
	other    // dates: no setting takes them
)

// node is a value in a file and where it stands.
type node struct {
	kind  Kind
	text  string  // of Text, Integer, Fraction and Boolean as their Value reads it; as written for other
	items []*node // of Array and Tables
	// names and tables are a Table's content, in the order of the file.
	names  []string
	values map[string]*node

	key position // of the name; for what has none, of the value
	at  position // of the value
}

// position counts lines and columns from 1; a column is one character.
type position struct{ line, column int }

// child is the node of that name in a table, nil if there is none.
func (n *node) child(name string) *node { return n.values[name] }

// add puts a value into a table.
func (n *node) add(name string, value *node) *node {
	if n.values == nil {
		n.values = map[string]*node{}
	}
	n.names = append(n.names, name)
	n.values[name] = value
	return value
}

// describe says what stands in the file instead of what was expected.
func (n *node) describe() string {
	switch n.kind {
	case Text:
		return "the text " + quoted(n.text)
	case Integer, Fraction:
		return "the number " + n.text
	case Array:
		return "an array"
	case Table:
		return "a table"
	case Tables:
		return "an array of tables"
	}
	return n.text
}

// tables are the elements of what is an array of tables, in whichever of its two
// forms: [[sites]], or sites = [{ … }].
func (n *node) tables() ([]*node, bool) {
	if n.kind != Tables && n.kind != Array {
		return nil, false
	}
	return n.items, !slices.ContainsFunc(n.items, func(item *node) bool { return item.kind != Table })
}

// quoted is s in quotes, shortened where it would fill the screen.
func quoted(s string) string {
	const enough = 60
	if utf8.RuneCountInString(s) > enough {
		s = string([]rune(s)[:enough]) + "…"
	}
	return strconv.Quote(s)
}

// syntaxError is where a text is no TOML, and why.
type syntaxError struct {
	at   position
	what string
}

func (e *syntaxError) Error() string { return e.what }

// parse reads TOML. The error is a *syntaxError.
//
// The library's decoder says whether the document is valid, names that are
// defined twice included; only its parser says where each value stands.
func parse(src []byte) (*node, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // some editors begin a file with it
	var valid map[string]any
	if err := toml.Unmarshal(src, &valid); err != nil {
		e := &syntaxError{position{1, 1}, strings.TrimPrefix(err.Error(), "toml: ")}
		if d, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := d.Position()
			c := cursor{src: src, position: position{1, 1}}
			e.at = c.at(lineStart(src, line) + column - 1)
		}
		return nil, e
	}
	t := &tree{src: src, cursor: cursor{src: src, position: position{1, 1}}, root: &node{kind: Table, key: position{1, 1}, at: position{1, 1}}}
	t.current = t.root
	t.parser.Reset(src)
	for t.parser.NextExpression() {
		t.expression(t.parser.Expression())
	}
	if err := t.parser.Error(); err != nil {
		return nil, &syntaxError{position{1, 1}, err.Error()} // the decoder has found none
	}
	return t.root, nil
}

// tree makes nodes from the parser's expressions.
type tree struct {
	src     []byte
	cursor  cursor
	parser  unstable.Parser
	root    *node
	current *node // the table that names belong to
}

func (t *tree) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.Table:
		t.current = t.descend(t.root, e.Key(), Table)
	case unstable.ArrayTable:
		t.current = t.descend(t.root, e.Key(), Tables)
	case unstable.KeyValue:
		t.keyValue(t.current, e)
	}
}

// descend follows a dotted name from a table and makes what is not there yet;
// the last part is of that kind. An array of tables is its last element, which is
// new where the name ends with it.
func (t *tree) descend(from *node, key unstable.Iterator, kind Kind) *node {
	for key.Next() {
		name := string(key.Node().Data)
		next := from.child(name)
		at := t.position(key.Node().Raw.Offset)
		array := kind == Tables && key.IsLast()
		if next == nil {
			next = from.add(name, &node{kind: Table, key: at, at: at})
			if array {
				next.kind = Tables
			}
		}
		if array {
			next.items = append(next.items, &node{kind: Table, key: at, at: at})
		}
		if next.kind == Tables {
			next = next.items[len(next.items)-1]
		}
		from = next
	}
	return from
}

// keyValue adds one value to a table, under a name that may have dots.
func (t *tree) keyValue(table *node, e *unstable.Node) {
	key := e.Key()
	var name *unstable.Node
	for key.Next() {
		if name != nil {
			table = t.step(table, name)
		}
		name = key.Node()
	}
	at := t.position(name.Raw.Offset)
	// Arrays and tables have no range of their own: a value begins behind the
	// equals sign.
	after := int(name.Raw.Offset + name.Raw.Length)
	rest := bytes.TrimLeft(t.src[after:], " \t=")
	value := t.value(e.Value(), t.cursor.at(len(t.src)-len(rest)))
	value.key = at
	table.add(string(name.Data), value)
}

// step is the table of that name within another.
func (t *tree) step(table *node, name *unstable.Node) *node {
	if next := table.child(string(name.Data)); next != nil {
		return next
	}
	at := t.position(name.Raw.Offset)
	return table.add(string(name.Data), &node{kind: Table, key: at, at: at})
}

func (t *tree) value(v *unstable.Node, at position) *node {
	n := &node{key: at, at: at, text: string(v.Data)}
	switch v.Kind {
	case unstable.String:
		n.kind = Text
	case unstable.Bool:
		n.kind = Boolean
	case unstable.Integer:
		n.kind = Integer
		// 0x10 and 1_000 are numbers as well; what reads them knows decimals only.
		if i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 0, 64); err == nil {
			n.text = strconv.FormatInt(i, 10)
		}
	case unstable.Array:
		n.kind = Array
		for c := v.Children(); c.Next(); {
			place := at
			if raw := c.Node().Raw; raw.Length > 0 {
				place = t.position(raw.Offset)
			}
			n.items = append(n.items, t.value(c.Node(), place))
		}
	case unstable.InlineTable:
		n.kind = Table
		for c := v.Children(); c.Next(); {
			t.keyValue(n, c.Node())
		}
	case unstable.Float:
		n.kind, n.text = Fraction, strings.ReplaceAll(n.text, "_", "")
	default:
		n.kind, n.text = other, "the date or time "+n.text
	}
	return n
}

func (t *tree) position(offset uint32) position { return t.cursor.at(int(offset)) }

// cursor tells positions. It goes on from the last, so that all of a file cost
// one walk through it when they are asked for in order.
type cursor struct {
	src    []byte
	offset int
	position
}

// at is the position of a byte.
func (c *cursor) at(offset int) position {
	if offset < c.offset {
		c.offset, c.position = 0, position{1, 1}
	}
	passed := c.src[c.offset:min(offset, len(c.src))]
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		c.line += bytes.Count(passed, []byte("\n"))
		c.column = 1
		passed = passed[i+1:]
	}
	c.column += utf8.RuneCount(passed)
	c.offset = offset
	return c.position
}

// lineStart is where a line begins.
func lineStart(src []byte, line int) int {
	at := 0
	for ; line > 1; line-- {
		at += bytes.IndexByte(src[at:], '\n') + 1
	}
	return at
}

// tomlText writes s as a TOML string.
func tomlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r): // those above 0x7f TOML allows, terminals obey
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tomlArray writes an array of texts.
func tomlArray(texts []string) string {
	items := slices.Clone(texts)
	for i := range items {
		items[i] = tomlText(items[i])
	}
	return "[" + strings.Join(items, ", ") + "]"
}
