package cgi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/metavar"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// Defaults of Config, and why.
const (
	// DefaultTimeout is the time until a script has printed its head: as for
	// applications.
	DefaultTimeout = 60 * time.Second
	// DefaultStallTimeout is the time between two parts of a script's output.
	DefaultStallTimeout = 60 * time.Second
	// DefaultKillGrace is what a script gets to clean up in after SIGTERM.
	DefaultKillGrace = 2 * time.Second
	// DefaultMaxHead bounds what a script prints before its body; Apache and
	// lighttpd bound it alike.
	DefaultMaxHead = 32 << 10
	// DefaultMaxBody bounds a request body: forms and pictures, not films.
	DefaultMaxBody = 10 << 20
	// DefaultSpoolMemory is what a body of unknown length takes of memory before
	// it goes to a file.
	DefaultSpoolMemory = 1 << 20
	// DefaultQueue and DefaultQueueWait bound how many requests wait for a script
	// to end and how long, before they are refused with 503.
	DefaultQueue     = 100
	DefaultQueueWait = 10 * time.Second
	// DefaultPath is PATH for scripts where the server has none itself.
	DefaultPath = "/usr/local/bin:/usr/bin:/bin"
)

// DefaultMaxScripts is how many scripts of a folder run at the same time where
// nothing is said: four for each core, since scripts wait more than they
// compute, and eight at least.
func DefaultMaxScripts() int { return max(4*runtime.GOMAXPROCS(0), 8) }

// DefaultInterpreters are the interpreters by file ending where none are given;
// ".py" is run by Config.Python.
func DefaultInterpreters() map[string]string {
	return map[string]string{".py": "", ".pl": "perl", ".sh": "/bin/sh"}
}

// User is an identity that scripts run as.
type User = pyproc.User

// Config says which scripts to run and how. Zero fields have the meanings given
// here; Open does not change or keep what they refer to, except for Log,
// Redirect and the functions.
type Config struct {
	// Dir is the folder of the scripts. It must exist.
	Dir string
	// Prefix is what the paths of requests begin with before the name of a
	// script, such as "/cgi-bin/"; "" means "/".
	Prefix string
	// DocumentRoot is the folder that PATH_TRANSLATED and DOCUMENT_ROOT tell
	// scripts of; "" means Dir.
	DocumentRoot string
	// Off has every script answered with 403 in place of being run.
	Off bool

	// Interpreters maps file endings, in lower case, to the program that runs
	// files with that ending (in any case) which have no first line to say so or
	// are not executable: an absolute path, or a name that is looked up in PATH; ""
	// means Python. Nil means DefaultInterpreters, an empty map none. Such a program
	// never gets arguments from a request but for QueryArgument.
	Interpreters map[string]string
	// Python is the interpreter for scripts that want a Python which is not
	// there; "" means python3.
	Python string
	// NoCompat has Python scripts do without the modules cgi and cgitb where their
	// Python has none, which is so since 3.13. Otherwise they find those of package
	// compat through PYTHONPATH, in a folder that Open makes below the system's for
	// temporary files, which User must be able to reach. A module of these names that
	// Python itself has, or that lies beside the script, comes first.
	NoCompat bool
	// Warm runs Python scripts in processes forked from an interpreter that is
	// there already, in place of starting one for each request. A script whose
	// first line gives the interpreter options, or whose folder holds a module
	// named like one that the interpreter has loaded for another script, is run as
	// without Warm, and so are all where there is no such interpreter (Linux only).
	Warm bool
	// Env is what scripts find in their environment beside the meta-variables,
	// "KEY=value" each. PATH is added if it is not there: the server's.
	Env []string
	// User is whom scripts run as; nil means the server's own user.
	User *User

	// PassAuthorization passes the Authorization field to scripts that check
	// passwords themselves. Other scripts have no business with it.
	PassAuthorization bool
	// Identity returns AUTH_TYPE and REMOTE_USER of a request whose user was
	// identified by the server, "" if it was not; nil means nobody is.
	Identity func(r *http.Request) (scheme, user string)
	// Scheme returns "http" or "https" for a request; nil looks at r.TLS.
	Scheme func(r *http.Request) string
	// Redirect answers the local redirects of scripts (RFC 3875, section 6.2.2);
	// nil has the client sent there.
	Redirect http.Handler
	// NotFound answers requests for which there is no script; nil means a plain
	// page.
	NotFound http.Handler

	// HeadOptional takes what a script prints for the document as a whole, with
	// BareType as its type, where it does not begin with a head: field lines, a
	// Content-Type, Location or Status among them, and an empty line. NPH scripts
	// print a head in any case.
	HeadOptional bool
	// QueryArgument gives each script the query of its request as its last
	// argument, undecoded and in one piece; "" if there is none. There are no search
	// words then (RFC 3875, section 4.4).
	QueryArgument bool
	// Divert is asked about each file that a request means and that may be run; a
	// handler that it returns answers in place of a run of it. It may be called
	// concurrently. nil runs them all.
	Divert func(*http.Request, *Script) http.Handler

	// Timeout is how long a script may run without having printed its head (504
	// above), StallTimeout how long it may then print nothing, and how long it
	// may run after it has closed its output. Time in which the client is what we
	// wait for does not count. Negative means for ever.
	Timeout, StallTimeout time.Duration
	// KillGrace is the time between SIGTERM and SIGKILL for a script that has to
	// end; negative means none.
	KillGrace time.Duration
	// MaxHead bounds the head that a script prints, in bytes (502 above); it may be
	// up to 63 KB.
	MaxHead int
	// MaxBody bounds a request body in bytes (413 above); negative means no bound.
	MaxBody int64
	// SpoolMemory is how much of a body of unknown length is held in memory
	// before it goes to a file in SpoolDir ("" means the system's folder for
	// temporary files).
	SpoolMemory int64
	SpoolDir    string
	// MaxOutput bounds what a script prints, in bytes; it is ended above. 0 means
	// no bound: output is never stored, a fast script waits for its client.
	MaxOutput int64
	// MaxScripts is how many scripts run at the same time; 0 means
	// DefaultMaxScripts. Queue is how many requests more may wait and QueueWait
	// how long (503 above); a negative Queue means none, a negative QueueWait for
	// ever.
	MaxScripts, Queue int
	QueueWait         time.Duration
	// Limits bound what each script may take of the machine.
	Limits Limits
	// Cell bounds what all of them, and the interpreters of Warm, may take of it
	// together; nil means nothing does. It stays open longer than the Handler.
	Cell *confine.Cell

	// Log receives what scripts print to standard error and why requests were
	// not answered by them; nil discards it.
	Log *slog.Logger
}

// Limits are resource limits of a script's process, which its children inherit;
// 0 means that there is none but the server's own, which none exceeds. They are
// set before the script runs its first instruction. Linux only; Open returns errors.ErrUnsupported elsewhere.
type Limits struct {
	CPU       time.Duration // CPU time of one process, in whole seconds, rounded up
	Memory    int64         // address space of one process, in bytes
	FileSize  int64         // of a file that is written, in bytes
	Files     int           // open files of one process
	Processes int           // of the user altogether, all else that it runs included; root is not bounded
}

// withDefaults returns the configuration with every zero field replaced.
func (c Config) withDefaults() (Config, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("cgi: open %q: %w", c.Dir, err)
	}
	c.Dir = dir
	if c.DocumentRoot == "" {
		c.DocumentRoot = dir
	}
	if c.DocumentRoot, err = filepath.Abs(c.DocumentRoot); err != nil {
		return c, fmt.Errorf("cgi: open %q: %w", c.DocumentRoot, err)
	}
	if c.Prefix == "" {
		c.Prefix = "/"
	}
	if c.Prefix[0] != '/' || c.Prefix[len(c.Prefix)-1] != '/' {
		return c, fmt.Errorf("cgi: open: prefix %q does not begin and end with a slash", c.Prefix)
	}
	for _, pair := range c.Env {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" || strings.IndexByte(pair, 0) >= 0 {
			return c, fmt.Errorf("cgi: open: environment: %q is not KEY=value", pair)
		}
	}
	for ending := range c.Interpreters {
		if len(ending) < 2 || ending[0] != '.' || ending != strings.ToLower(ending) {
			return c, fmt.Errorf("cgi: open: %q is no file ending in lower case such as .py", ending)
		}
	}
	if c.MaxHead >= pieceSize {
		return c, fmt.Errorf("cgi: open: a head of %d bytes is more than may be allowed, which is %d", c.MaxHead, pieceSize-1)
	}
	if c.Limits != (Limits{}) && !confine.Supported {
		return c, fmt.Errorf("cgi: open: limits: %w on this system", errors.ErrUnsupported)
	}
	if c.Interpreters == nil {
		c.Interpreters = DefaultInterpreters()
	}
	if c.Scheme == nil {
		c.Scheme = metavar.Scheme
	}
	if c.SpoolDir == "" {
		c.SpoolDir = os.TempDir()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.Python, "python3")
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.StallTimeout, DefaultStallTimeout)
	setDefault(&c.KillGrace, DefaultKillGrace)
	setDefault(&c.MaxHead, DefaultMaxHead)
	setDefault(&c.MaxBody, DefaultMaxBody)
	setDefault(&c.SpoolMemory, DefaultSpoolMemory)
	setDefault(&c.MaxScripts, DefaultMaxScripts())
	setDefault(&c.Queue, DefaultQueue)
	setDefault(&c.QueueWait, DefaultQueueWait)
	return c, nil
}

// each is what they are for each process.
func (l Limits) each() confine.PerProcess {
	return confine.PerProcess{CPU: l.CPU, AddressSpace: l.Memory, FileSize: l.FileSize, Files: l.Files, Processes: l.Processes}
}

// text is the form in which script.py takes limits: a resource and its limit on
// each line.
func (l Limits) text() string {
	var text strings.Builder
	for _, limit := range l.each().Rlimits() {
		fmt.Fprintf(&text, "%d %d\n", limit.Resource, limit.Value)
	}
	return text.String()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// environment is what every script finds beside the meta-variables.
func (c *Config) environment() []string {
	for _, pair := range c.Env {
		if strings.HasPrefix(pair, "PATH=") {
			return c.Env
		}
	}
	path := os.Getenv("PATH")
	if path == "" {
		path = DefaultPath
	}
	return append([]string{"PATH=" + path}, c.Env...)
}
