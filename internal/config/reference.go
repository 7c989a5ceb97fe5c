package config

import (
	"fmt"
	"strings"
)

// Reference is docs/reference/defaults.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(preamble)
	group := Group("")
	for _, s := range Settings() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n## %s\n| setting | default | what | why | in Go |\n|---|---|---|---|---|\n", group)
		}
		name := s.Name
		switch {
		case s.Flag != 0:
			name = "`--" + s.Name + "`"
		case s.InFile() && s.Table() == "":
			name = "`" + s.Key() + "`"
		case s.InFile():
			name = "`[" + s.Table() + "] " + s.Key() + "`"
		}
		field := s.Field
		if field != "" {
			field = "`" + field + "`"
		}
		def := s.Default()
		if s.Fixed == "" && def != "none" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", cell(name), cell(def), cell(s.What), cell(s.Why), cell(field))
	}
	return b.String()
}

// cell keeps a vertical bar from ending a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

const preamble = `# Defaults

This page is written by the program (` + "`go generate ./cmd/gatehouse`" + `) and tested to be current.

Times carry a unit (` + "`30s`, `2m`" + `) or are ` + "`off`" + `; sizes carry one too (` + "`8KB`, `16MB`" + `, powers of 1024).
Keys without dashes, most of them with their table in brackets, stand in the [configuration file](configuration.md) only. Settings in plain words are how Gatehouse behaves.
`
