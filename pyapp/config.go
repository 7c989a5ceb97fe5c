package pyapp

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

	"github.com/seed-07905ac1/gatehouse/internal/metavar"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// Defaults of Config, and why.
const (
	// DefaultThreads is one because applications are not always thread-safe.
	DefaultThreads = 1
	// DefaultSlow is the age at which a request is reported with its stack.
	DefaultSlow = time.Second
	// DefaultTimeout is the time until the response head: twice gunicorn's
	// default, which counts the whole response.
	DefaultTimeout = 60 * time.Second
	// DefaultStallTimeout is the time between two parts of a response.
	DefaultStallTimeout = 60 * time.Second
	// DefaultStartTimeout is the time for the import and until workers answer.
	DefaultStartTimeout = 60 * time.Second
	// DefaultMaxBody bounds a request body: nginx's 1 MB breaks uploads.
	DefaultMaxBody = 100 << 20
	// DefaultSpoolMemory is what one body takes of memory before it goes to a
	// file; the same for requests and responses.
	DefaultSpoolMemory = 1 << 20
	// DefaultResponseSpool bounds what is stored of one response for a slow
	// client; after that the worker waits for the client.
	DefaultResponseSpool = 1 << 30
	// DefaultQueuePerWorker and DefaultQueueWait bound how many requests wait
	// for a worker and how long, before they are refused with 503.
	DefaultQueuePerWorker = 100
	DefaultQueueWait      = 10 * time.Second
)

// DefaultWorkers is the number of processes where none is given: one for each
// core that the process may use, 2 at least and 8 at most.
func DefaultWorkers() int { return min(max(runtime.GOMAXPROCS(0), 2), 8) }

// Config describes an application and how to run it. Zero fields have the
// meanings given here; Open does not change or keep what they refer to, except
// for Log and the functions.
type Config struct {
	// Name appears in log records and errors; "" means the last element of Dir.
	Name string
	// Dir is the folder of the application: working directory and first entry of
	// the module path. "" means the current folder.
	Dir string
	// App is the callable, "module:name"; without a colon the name is
	// "application". The name may have dots; with () behind it, it is that of a
	// function without arguments that returns the callable. A module that ends in
	// .py is a file in Dir, whose name need not be one that Python can import.
	App string
	// Python is the interpreter, CPython 3.8 or later or PyPy; "" means python3
	// from PATH.
	Python string
	// Mount is the URL prefix that becomes SCRIPT_NAME, such as "/blog"; ""
	// or "/" for the root. Requests outside of it get 404.
	Mount string
	// Env is the whole environment of the processes; nil means the server's.
	Env []string
	// User is whom all processes of the application run as; nil means the
	// server's own user.
	User *User

	// Workers is the number of processes, Threads that of requests each one runs
	// at the same time; 0 means the defaults.
	Workers, Threads int
	// MaxWorkers, if it is more than Workers, lets the pool start as many when
	// requests wait; those above Workers end when they have idled for a minute. 0
	// means Workers: their number is fixed.
	MaxWorkers int
	// MaxRequests is after how many requests a worker is replaced, a tenth more or
	// fewer so that workers of one age do not all end at once; 0 means never. The
	// new worker is ready before the old one takes no more.
	MaxRequests int
	// MemorySoft is how many bytes a worker may have before it is replaced in the
	// same way, MemoryHard how many before it is ended at once: the requests it
	// runs get 502, the log says why. 0 means no limit. What counts is memory of
	// the process's own, swapped or not, which includes what it shares with the
	// template; it is looked at every 100 ms while requests run, else every second.
	MemorySoft, MemoryHard int64
	// Confinement bounds what all processes of the application may take of the
	// machine, and whatever they start, each version by itself.
	Confinement Confinement
	// Health is a path of the application, below Mount, that every worker of a new
	// version is asked for before that version gets requests. Anything but a status
	// of 2xx or 3xx within StartTimeout is an error of Open or Reload. "" means
	// that workers are not asked.
	Health string
	// NoPreload has each worker import the application itself, for applications
	// that cannot be forked. It is implied when the import leaves threads behind.
	NoPreload bool

	// Slow is the age at which a request is logged with the worker's Python
	// stack; negative means never.
	Slow time.Duration
	// Timeout is how long a request may run without a response head before it is
	// interrupted and answered with 504; StallTimeout how long between two parts
	// of the body before it is broken off. Time in which the client is what we
	// wait for does not count. Negative means for ever.
	Timeout, StallTimeout time.Duration
	// StartTimeout bounds the import, and the start of a worker with its health
	// check. Negative means for ever.
	StartTimeout time.Duration

	// MaxBody bounds a request body in bytes (413 above); negative means no bound.
	MaxBody int64
	// SpoolMemory is how much of one body is held in memory before it goes to a
	// file in SpoolDir ("" means the system's folder for temporary files), and
	// ResponseSpool how much of one response is stored at all.
	SpoolMemory, ResponseSpool int64
	SpoolDir                   string
	// StreamRequests has a worker get a request body while the client sends it,
	// and be held by a slow client for that long. Otherwise, and for a body with
	// a Content-Length of up to 32 KB, the worker gets it when all of it is here.
	StreamRequests bool
	// NewPrivileges lets programs with the set-user-ID or set-group-ID bit, such as
	// sudo or sendmail, give the application's processes the rights of their owner.
	// Otherwise they run with those that the application has (Linux only).
	NewPrivileges bool
	// Sendfile has a response's X-Sendfile field name the file that is its body,
	// by an absolute path. AccelRedirect does so for X-Accel-Redirect, which names
	// a URL path: the longest key that it begins with is replaced by that key's
	// folder. Workers open these files, with the application's rights. Fields that
	// are not asked for go to the client like any other.
	Sendfile      bool
	AccelRedirect map[string]string
	// QueuePerWorker times the largest number of workers is how many requests may
	// wait, QueueWait how long; a negative time means for ever. More or longer: 503.
	QueuePerWorker int
	QueueWait      time.Duration

	// Scheme returns "http" or "https" for a request; nil looks at r.TLS. It is
	// where a server that believes its proxy says what that told.
	Scheme func(r *http.Request) string
	// Debug reports whether whoever sent r may see why the application failed:
	// exception, paths, source text, values in messages. nil means nobody. With a
	// function here, Django without DEBUG, Flask and Bottle are told to hand
	// exceptions on instead of answering with pages of their own. It is for
	// development.
	Debug func(r *http.Request) bool
	// Log receives everything the application prints and all that happens to its
	// processes; nil discards it.
	Log *slog.Logger
}

// User is an identity that an application runs as.
type User = pyproc.User

// withDefaults returns the configuration with every zero field replaced.
func (c Config) withDefaults() (Config, error) {
	if c.App == "" {
		return c, errors.New("pyapp: no application given, such as module:callable")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, &StartError{App: c.App, Path: c.Dir, Err: err}
	}
	if c.Name == "" {
		c.Name = filepath.Base(dir)
	}
	err = c.User.Do(func() (err error) {
		// Python compares file names as texts: give it the one without links.
		if c.Dir, err = filepath.EvalSymlinks(dir); err != nil {
			return err
		}
		if info, err := os.Stat(c.Dir); err == nil && !info.IsDir() {
			return errors.New("not a folder")
		}
		return nil
	})
	if err != nil {
		return c, &StartError{App: c.Name, Path: dir, Err: unwrapPath(err)}
	}
	if c.Python == "" {
		c.Python = "python3"
	}
	c.Mount = strings.TrimRight(c.Mount, "/")
	if c.Mount != "" && c.Mount[0] != '/' {
		c.Mount = "/" + c.Mount
	}
	if c.AccelRedirect, err = redirects(c.AccelRedirect, c.Dir); err != nil {
		return c, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := c.checkWorkers(); err != nil {
		return c, err
	}
	if c.Scheme == nil {
		c.Scheme = metavar.Scheme
	}
	if c.SpoolDir == "" {
		c.SpoolDir = os.TempDir()
	}
	setDefault(&c.Threads, DefaultThreads)
	setDefault(&c.Slow, DefaultSlow)
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.StallTimeout, DefaultStallTimeout)
	setDefault(&c.StartTimeout, DefaultStartTimeout)
	setDefault(&c.MaxBody, DefaultMaxBody)
	setDefault(&c.SpoolMemory, DefaultSpoolMemory)
	setDefault(&c.ResponseSpool, DefaultResponseSpool)
	setDefault(&c.QueuePerWorker, DefaultQueuePerWorker)
	setDefault(&c.QueueWait, DefaultQueueWait)
	return c, nil
}

// checkWorkers fills in and checks what is said about workers.
func (c *Config) checkWorkers() error {
	if c.Workers <= 0 {
		c.Workers = DefaultWorkers()
		if c.MaxWorkers > 0 {
			c.Workers = min(c.Workers, c.MaxWorkers)
		}
	}
	if c.MaxWorkers == 0 {
		c.MaxWorkers = c.Workers
	}
	switch {
	case c.MaxWorkers < c.Workers:
		return fmt.Errorf("pyapp: at most %d workers are less than at least %d", c.MaxWorkers, c.Workers)
	case c.MemoryHard > 0 && c.MemorySoft > c.MemoryHard:
		return fmt.Errorf("pyapp: the soft limit of memory, %d bytes, is above the hard one, %d", c.MemorySoft, c.MemoryHard)
	case c.Health != "" && c.Health[0] != '/':
		return fmt.Errorf("pyapp: health check: path %q does not begin with a slash", c.Health)
	}
	return nil
}

// redirects returns the prefixes of URL paths with their folders, checked and
// complete: each prefix ends where a name ends, each folder is an absolute path.
func redirects(given map[string]string, dir string) (map[string]string, error) {
	complete := map[string]string{}
	for prefix, folder := range given {
		if !strings.HasPrefix(prefix, "/") || folder == "" || strings.Contains(prefix+folder, "\x00") {
			return nil, fmt.Errorf("pyapp: redirect %q to %q: a URL path that begins with / and a folder belong here", prefix, folder)
		}
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		complete[strings.TrimRight(prefix, "/")+"/"] = filepath.Clean(folder)
	}
	return complete, nil
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// unwrapPath takes operation and path off an error of package os.
func unwrapPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
