package errorpage

import "strings"

// Outline is a traceback in short: a line for each exception and call.
func Outline(text, dir string) string {
	var b strings.Builder
	for _, r := range parse(text, dir) {
		if r.Link != "" {
			b.WriteString("link " + r.Link + "\n")
		}
		for _, f := range r.Frames {
			kind := "lib"
			if f.Own {
				kind = "own"
			}
			b.WriteString(kind + " " + shortFile(f.File, dir) + " " + f.Name + " ")
			for _, s := range f.Code {
				if s.Marked {
					b.WriteString("[" + s.Text + "]")
				} else {
					b.WriteString(s.Text)
				}
			}
			if f.Note != "" {
				b.WriteString(" (" + f.Note + ")")
			}
			b.WriteByte('\n')
		}
		b.WriteString("exception " + r.Exception + "\n")
	}
	return b.String()
}
