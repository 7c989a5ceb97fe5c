package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/seed-07905ac1/gatehouse/internal/terminal"
)

// table is rows of cells whose columns stand below each other. The first row is
// the heading.
type table struct {
	right []bool // columns of numbers, which end below each other
	rows  [][]string
}

// newTable begins a table with its heading. Columns whose name begins with ">" are
// numbers.
func newTable(heading ...string) *table {
	t := &table{}
	for i, h := range heading {
		name, number := strings.CutPrefix(h, ">")
		heading[i] = name
		t.right = append(t.right, number)
	}
	t.rows = append(t.rows, heading)
	return t
}

// add adds a row, as long as the heading.
func (t *table) add(cells ...string) {
	for i, c := range cells {
		// Whatever an application is called, a row is one line.
		cells[i] = terminal.Line(c)
	}
	t.rows = append(t.rows, cells)
}

// write writes the table.
func (t *table) write(w io.Writer) error {
	if len(t.rows) == 1 {
		return nil
	}
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if t.right[i] {
				line.WriteString(pad + c)
			} else {
				line.WriteString(c + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// labelled is lines of a label and what it says, as the server's own start has them.
type labelled struct{ b strings.Builder }

// line adds a line. What is continued has no label.
func (l *labelled) line(label, format string, args ...any) {
	text := terminal.Line(fmt.Sprintf(format, args...))
	fmt.Fprintf(&l.b, "%-11s%s\n", label, text)
}

func (l *labelled) write(w io.Writer) error {
	if _, err := io.WriteString(w, l.b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
