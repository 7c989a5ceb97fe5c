package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/cron"
)

// AppProcess is a program that an application has running beside it.
type AppProcess struct {
	Name    string
	Command string // for the shell
	Cron    string // when it runs, in five fields; "": always
}

// processesValue are an application's processes: a table in a file.
type processesValue struct{ p *[]AppProcess }

func (v processesValue) Type() string     { return "NAME=COMMAND" }
func (v processesValue) kinds() Kind      { return Table }
func (v processesValue) Set(string) error { return errTableOnly }

func (v processesValue) String() string {
	names := make([]string, len(*v.p))
	for i, p := range *v.p {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// readTable implements tabled.
func (v processesValue) readTable(d *decoder, n *node) {
	for _, name := range n.names {
		child := n.child(name)
		p, ok := AppProcess{Name: name}, true
		switch {
		case !isAppName(name):
			d.wrong(child.key, "%s is no name of a process; use letters, digits, - and _", quoted(name))
			continue
		case child.kind == Text:
			p.Command = child.text
		case child.kind == Table:
			ok = d.process(&p, child)
		default:
			d.wrong(child.at, `%s: expected a command, or { cron = "*/5 * * * *", command = "COMMAND" }, got %s`, name, child.describe())
			continue
		}
		if ok && p.Command == "" {
			d.wrong(child.at, "%s: the command is empty", name)
			ok = false
		}
		if ok {
			*v.p = append(*v.p, p)
		}
	}
}

// process reads one that is a table.
func (d *decoder) process(p *AppProcess, n *node) bool {
	before := len(d.failed.Problems)
	for _, key := range n.names {
		child := n.child(key)
		switch {
		case key != "cron" && key != "command":
			d.wrong(child.key, "%s: unknown key %s; expected command and cron", p.Name, quoted(key))
		case child.kind != Text:
			d.wrong(child.at, "%s: %s: expected a text in quotes, got %s", p.Name, key, child.describe())
		case key == "command":
			p.Command = child.text
		default:
			p.Cron = child.text
			if _, err := cron.Parse(p.Cron); err != nil {
				d.wrong(child.at, "%s: cron: %v", p.Name, err)
			}
		}
	}
	if n.child("command") == nil {
		d.wrong(cmp.Or(n.key, n.at), "%s: it has no command", p.Name)
	}
	return len(d.failed.Problems) == before
}

// tableLines implements tabled.
func (v processesValue) tableLines() []Line {
	var lines []Line
	for _, p := range *v.p {
		value := tomlText(p.Command)
		if p.Cron != "" {
			value = "{ cron = " + tomlText(p.Cron) + ", command = " + value + " }"
		}
		lines = append(lines, Line{Key: p.Name, Value: value})
	}
	return lines
}

// merge implements merged.
func (v processesValue) merge(from Value) {
	more := *from.(processesValue).p
	kept := slices.DeleteFunc(slices.Clone(*v.p), func(old AppProcess) bool {
		return slices.ContainsFunc(more, func(m AppProcess) bool { return m.Name == old.Name })
	})
	*v.p = append(kept, more...)
}

var _ tabled = processesValue{}
