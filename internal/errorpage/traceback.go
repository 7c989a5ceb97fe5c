package errorpage

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

// raised is one exception of a traceback: with those that it was raised from,
// or while handling, a traceback holds several.
type raised struct {
	Link      string // how it came of the one before: Python's sentence
	Frames    []frame
	Exception string // type and message; may have several lines, or be empty
}

// frame is one call on the way to an exception.
type frame struct {
	File string // as Python names it
	Line int
	Name string // of the function; "" for code that does not compile
	Code []span // what stands there; nil if Python does not know
	Note string // such as how often the frame is repeated
	Own  bool   // it is the application's own code
}

// span is a piece of source text.
type span struct {
	Text   string
	Marked bool // Python points at it
}

const tracebackHead = "Traceback (most recent call last):"

var frameLine = regexp.MustCompile(`^  File "(.+)", line (\d+)(?:, in (.*))?$`)

// parse reads a traceback as Python prints it. dir is the folder of the
// application's own code. The text comes from the application and may be
// anything: what is no traceback becomes text of an exception.
func parse(text, dir string) []raised {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var all []raised
	var code []string // of the last frame
	last := func() *raised {
		if len(all) == 0 {
			all = append(all, raised{})
		}
		return &all[len(all)-1]
	}
	endFrame := func() {
		if frames := last().Frames; len(frames) > 0 && code != nil {
			frames[len(frames)-1].Code = marked(code)
		}
		code = nil
	}
	link := ""
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = strings.TrimRight(line, "\r\n")
		r := last()
		found := frameLine.FindStringSubmatch(line)
		switch {
		case line == tracebackHead:
			endFrame()
			if r.Exception != "" || len(r.Frames) > 0 {
				all = append(all, raised{Link: link})
				link = ""
			}
		case isLink(line):
			link = line
			r.Exception = strings.TrimRight(r.Exception, "\n")
		case r.Exception != "" && (link == "" || line != ""): // messages may have any lines
			r.Exception += "\n" + line
		case found != nil:
			endFrame()
			number, _ := strconv.Atoi(found[2]) // one that is too large is no line
			r.Frames = append(r.Frames, frame{File: found[1], Line: number, Name: found[3], Own: isOwn(found[1], dir)})
		case len(r.Frames) > 0 && strings.HasPrefix(line, "    "):
			code = append(code, line)
		case len(r.Frames) > 0 && strings.HasPrefix(line, "  ["):
			r.Frames[len(r.Frames)-1].Note = strings.Trim(line, " []")
		case line != "":
			r.Exception = line
		}
	}
	endFrame()
	return all
}

// isLink reports whether a line stands between two exceptions.
func isLink(line string) bool {
	return line == "During handling of the above exception, another exception occurred:" ||
		line == "The above exception was the direct cause of the following exception:"
}

// isOwn reports whether a file is the application's own and not installed, even
// where the environment lies in its folder.
func isOwn(file, dir string) bool {
	return dir != "" && strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/") && !strings.Contains(file, "-packages/")
}

// marked takes the indentation off source lines, and makes of the marks that
// Python prints below a line marks within it.
func marked(lines []string) []span {
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	var spans []span
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if i > 0 {
			spans = append(spans, span{Text: "\n"})
		}
		if i+1 == len(lines) || !isMarks(lines[i+1]) || !countsAsBytes(line) {
			spans = append(spans, span{Text: cut(line, indent)})
			continue
		}
		i++
		from := max(strings.IndexAny(lines[i], "^~"), indent)
		to := min(strings.LastIndexAny(lines[i], "^~")+1, len(line))
		if from >= to { // it points behind the line's end: something is missing there
			spans = append(spans, span{Text: cut(line, indent)}, span{Text: " ", Marked: true})
			continue
		}
		spans = append(spans, span{Text: cut(line[:from], indent)}, span{Text: line[from:to], Marked: true}, span{Text: line[to:]})
	}
	return spans
}

// isMarks reports whether a line holds nothing but marks.
func isMarks(line string) bool {
	return strings.ContainsAny(line, "^~") && strings.Trim(line, " ^~") == ""
}

// countsAsBytes reports whether the columns of a line are its bytes: Python
// counts them as a terminal shows them.
func countsAsBytes(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == '\t' {
			return false
		}
	}
	return true
}

// cut takes up to n blanks off the start of s.
func cut(s string, n int) string {
	for n > 0 && strings.HasPrefix(s, " ") {
		s, n = s[1:], n-1
	}
	return s
}

// culprit is the frame to look at first: the last one of the application's own
// code, else the last one; nil if there is none.
func culprit(all []raised) *frame {
	if len(all) == 0 {
		return nil
	}
	frames := all[len(all)-1].Frames
	for i := len(frames) - 1; i >= 0; i-- {
		if frames[i].Own {
			return &frames[i]
		}
	}
	if len(frames) == 0 {
		return nil
	}
	return &frames[len(frames)-1]
}

// shortFile is the name of a file as people know it: below the application's
// folder, as a part of an installed package, or in the standard library.
func shortFile(file, dir string) string {
	if isOwn(file, dir) {
		return file[len(strings.TrimSuffix(dir, "/"))+1:]
	}
	if i := strings.LastIndex(file, "-packages/"); i >= 0 {
		return file[i+len("-packages/"):]
	}
	if found := libraryPath.FindStringSubmatch(file); found != nil {
		return found[1]
	}
	return file
}

// libraryPath is a file of Python's standard library.
var libraryPath = regexp.MustCompile(`/lib/(?:python|pypy)[0-9.]+/(.+)$`)

// origin names the package that a file of somebody else's belongs to.
func origin(file string) string {
	if module, ok := strings.CutPrefix(file, "<frozen "); ok { // a part of Python that has no file
		return strings.TrimRight(strings.SplitN(module, ".", 2)[0], ">")
	}
	short := shortFile(file, "")
	if short == file {
		return path.Base(file)
	}
	first, _, nested := strings.Cut(short, "/")
	if !nested {
		first = strings.TrimSuffix(first, ".py")
	}
	return first
}
