package cgi

import (
	"bufio"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

const (
	// maxLine bounds a line of the log; a longer one is logged in parts.
	maxLine = 8 << 10
	// maxErrors bounds what one request may write to the log.
	maxErrors = 256 << 10
)

// lineReaders holds memory for lines: *bufio.Reader.
var lineReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxLine) }}

// logErrors writes what the script prints to standard error to the log, a record
// for each line, until that is closed.
func (o *output) logErrors(log *slog.Logger, s *script) {
	defer o.file.Close()
	lines := lineReaders.Get().(*bufio.Reader)
	lines.Reset(waitingReader{o})
	defer func() {
		lines.Reset(nil)
		lineReaders.Put(lines)
	}()
	var python python2
	size := 0
	for {
		raw, err := lines.ReadSlice('\n')
		line := strings.TrimRight(string(raw), "\r\n")
		if line != "" && size <= maxErrors {
			size += len(line)
			python.look(line)
			log.Info(line)
			if size > maxErrors {
				log.Warn("the script prints too much to standard error; the rest is not logged")
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	if python.found {
		log.Error(python.sentence(s.path), "hint", python2Hint)
	}
}

// waitingReader reads an output for as long as it takes.
type waitingReader struct{ o *output }

// Read implements io.Reader.
func (r waitingReader) Read(b []byte) (int, error) { return r.o.read(b, -1) }

// python2Hint is what there is to do about a script for Python 2.
const python2Hint = "convert it to Python 3, which Python 2.7's and 3.12's 2to3 help with, or install a python2 and name it in the script's first line"

// python2 looks in the messages of Python 3 for the signs that a script was
// written for Python 2.
type python2 struct {
	found      bool
	file, line string // of the frame that was named last
	code       string // that was shown last
}

// python2Signs are what Python 3 says to the usual Python 2.
var python2Signs = []string{
	"SyntaxError: Missing parentheses in call to 'print'",
	"SyntaxError: Missing parentheses in call to 'exec'",
	"SyntaxError: multiple exception types must be parenthesized",
	"SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix",
	"TabError: inconsistent use of tabs and spaces",
	"NameError: name 'raw_input' is not defined",
	"NameError: name 'unicode' is not defined",
	"NameError: name 'xrange' is not defined",
	"NameError: name 'unichr' is not defined",
	"ModuleNotFoundError: No module named 'urllib2'",
	"ModuleNotFoundError: No module named 'urlparse'",
	"ModuleNotFoundError: No module named 'httplib'",
	"ModuleNotFoundError: No module named 'cookielib'",
	"ModuleNotFoundError: No module named 'Cookie'",
	"ModuleNotFoundError: No module named 'StringIO'",
	"ModuleNotFoundError: No module named 'ConfigParser'",
	"ModuleNotFoundError: No module named 'cPickle'",
	"AttributeError: 'dict' object has no attribute 'has_key'",
	"TypeError: unsupported operand type(s) for >>: 'builtin_function_or_method'", // print >>file
}

// python2Code is what Python 3 calls invalid syntax without saying why.
var python2Code = regexp.MustCompile("<>|`|^ *raise [A-Za-z_.]+, |^ *except [A-Za-z_.]+, *[a-z_]+:|\\bur['\"]|\\b[0-9]+[lL]\\b")

// look takes note of a line that the script printed.
func (p *python2) look(line string) {
	if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), `File "`); ok {
		if file, rest, ok := strings.Cut(rest, `", line `); ok {
			number, _, _ := strings.Cut(rest, ",")
			if _, err := strconv.Atoi(number); err == nil {
				p.file, p.line = file, number
			}
		}
	}
	if strings.HasPrefix(line, "    ") && strings.Trim(line, " ^~") != "" {
		p.code = line
	}
	for _, sign := range python2Signs {
		if strings.HasPrefix(line, sign) {
			p.found = true
		}
	}
	if strings.HasPrefix(line, "SyntaxError: invalid ") && python2Code.MatchString(p.code) {
		p.found = true
	}
}

// sentence says where in which file Python 2 stands.
func (p *python2) sentence(script string) string {
	where := script
	if p.file != "" {
		where = p.file + ":" + p.line
	}
	return where + ": the script is written for Python 2"
}
