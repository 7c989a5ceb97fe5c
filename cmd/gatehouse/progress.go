package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/seed-07905ac1/gatehouse/internal/terminal"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// progress shows how far something long has come: on a terminal in one line that
// grows, otherwise in a line for each step. It is safe for concurrent use.
type progress struct {
	mu     sync.Mutex
	w      io.Writer // nil: nobody wants to see it
	onTerm bool
	fancy  bool
	done   []string // steps that are over
	now    string
	told   int // how much of the bar is shown, in percent
}

// newProgress shows on w, or nothing if quiet.
func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{onTerm: terminal.Is(w), fancy: terminal.Fancy(w), told: -1}
	if !quiet {
		p.w = w
	}
	return p
}

// step shows that something else is done now.
func (p *progress) step(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != "" {
		p.done = append(p.done, p.now)
	}
	p.now = name
	if p.onTerm {
		p.draw()
		return
	}
	p.say(name)
}

// barWidth is the bar's, in characters.
const barWidth = 20

// bar shows that n of size bytes are done of a step.
func (p *progress) bar(name string, n, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	percent := 100
	if size > 0 {
		percent = int(min(100, 100*n/size))
	}
	if percent == p.told {
		return
	}
	if p.told < 0 && !p.onTerm {
		p.say(fmt.Sprintf("%s %s", name, wording.Amount(size)))
	}
	p.told = percent
	if !p.onTerm {
		return
	}
	full, empty := "#", "."
	if p.fancy {
		full, empty = "█", "░"
	}
	whole := barWidth * percent / 100
	p.now = fmt.Sprintf("%s %s%s %d %%", name, strings.Repeat(full, whole), strings.Repeat(empty, barWidth-whole), percent)
	p.draw()
}

// draw shows the line anew. p.mu is held.
func (p *progress) draw() {
	if p.w == nil {
		return
	}
	line := terminal.Line(strings.Join(append(p.done, p.now), "   "))
	if columns, _ := terminal.Size(p.w); columns > 0 {
		if runes := []rune(line); len(runes) >= columns {
			line = string(runes[len(runes)-columns+1:]) // the end is what is new
		}
	}
	_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", line) // who does not see it misses nothing that lasts
}

// say writes a line. p.mu is held.
func (p *progress) say(text string) {
	if p.w != nil {
		_, _ = fmt.Fprintln(p.w, terminal.Line(text)) // as above
	}
}

// end leaves the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil && p.onTerm && p.now != "" {
		_, _ = fmt.Fprintln(p.w) // as above
	}
}
