package pagescript

import (
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Defaults of Config, and why.
const (
	// DefaultMaxApplications bounds processes: each application has two at least,
	// of about 10 MB.
	DefaultMaxApplications = 16
	// DefaultIdle is long beside the pauses of a visitor who reads, so that he does
	// not meet a start at every click.
	DefaultIdle = 5 * time.Minute
)

// Config says which pages there are and how they run. Zero fields have the
// meanings given here.
type Config struct {
	// Scripts says where the pages lie (Dir, Prefix, DocumentRoot) and how those run
	// that print. Heads are optional for them (cgi.Config.HeadOptional). Of its
	// fields Interpreters, HeadOptional, NotFound and Divert are not looked at;
	// Redirect, if it is nil, is the Handler.
	Scripts cgi.Config
	// Applications says how pages with an application run. Of its fields Name, Dir,
	// App and Mount are not looked at. Python, Env, User, Confinement, Scheme and Log
	// are, where they are zero, those of Scripts. Without a number of Workers there
	// is one for each application, and more as long as requests wait, up to
	// pyapp.DefaultWorkers.
	Applications pyapp.Config

	// Files answers for paths that name no page; nil means NotFound does. A path
	// with an element that ends in .py is never its.
	Files http.Handler
	// NotFound answers for pages that are not there; nil means a plain page.
	NotFound http.Handler

	// MaxApplications is how many pages with an application have processes at the
	// same time; one that is asked for beyond that takes the place of the one that
	// has been idle longest. If none is idle, it waits for Applications.QueueWait
	// (503 after that).
	MaxApplications int
	// Idle is for how long nobody has asked for a page when its processes end;
	// negative means never.
	Idle time.Duration
}

// withDefaults returns the configuration with every zero field replaced.
func (c Config) withDefaults() Config {
	if c.NotFound == nil {
		c.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			errorpage.Write(w, r, http.StatusNotFound, "")
		})
	}
	if c.Files == nil {
		c.Files = c.NotFound
	}
	if c.MaxApplications <= 0 {
		c.MaxApplications = DefaultMaxApplications
	}
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	s, a := &c.Scripts, &c.Applications
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if a.Log == nil {
		a.Log = s.Log
	}
	if a.Python == "" {
		a.Python = s.Python
	}
	if a.User == nil {
		a.User = s.User
	}
	if reflect.DeepEqual(a.Confinement, pyapp.Confinement{}) {
		a.Confinement = s.Cell.Share()
	}
	if a.Scheme == nil {
		a.Scheme = s.Scheme
	}
	if a.Env == nil {
		a.Env = applicationEnv(s.Env)
	}
	if a.QueueWait == 0 {
		a.QueueWait = pyapp.DefaultQueueWait
	}
	if a.Workers <= 0 && a.MaxWorkers <= 0 {
		a.Workers, a.MaxWorkers = 1, pyapp.DefaultWorkers()
	}
	s.Interpreters = map[string]string{".py": ""}
	s.HeadOptional = true
	// What a head-less page prints is announced as UTF-8.
	s.Env = append([]string{"PYTHONIOENCODING=utf-8"}, s.Env...)
	s.NotFound = c.NotFound
	return c
}

// applicationEnv is the environment of applications: as bare as that of scripts.
//
// Python takes byte code for that of a source with the same length and the same
// time in whole seconds (PEP 552), so byte code of a page that is saved twice in a
// second would be served for ever. None is written.
func applicationEnv(env []string) []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = cgi.DefaultPath
	}
	all := []string{"PATH=" + path, "PYTHONDONTWRITEBYTECODE=1"}
	for _, pair := range env {
		if strings.HasPrefix(pair, "PATH=") {
			all = all[1:]
		}
	}
	return append(all, env...)
}
