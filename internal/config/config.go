// Package config holds what a person can set: plain structs, and one table that
// gives each setting its name, default, unit and meaning.
//
// Flags, help texts, the keys of configuration files and the pages in
// docs/reference are made from that table, so a setting is described once. A
// Source makes a Config of the defaults, a file and the command line. Only
// internal/daemon and cmd know this package; handlers have fields of their own
// and never parse anything.
package config

import "time"

// Config is a complete configuration. Default makes one; the zero value is none.
type Config struct {
	Listen         []string // "host:port", ":port" or "unix:/path"
	Backlog        int      // 0: the system's maximum
	TrustedProxies []string // addresses, prefixes, "unix"
	Drain          time.Duration
	InterruptDrain time.Duration
	Control        string // path of a Unix socket, ControlOff; "": one where servers are looked for
	User           string // "": the owner of an application's or scripts' folder if started by root, else whoever started it

	Engine Engine
	Static Static
	CGI    CGI
	Pages  Pages
	App    App
	Log    Log

	Manager Manager
	Headers []HeaderRule // of all answers, below what sites and routes say

	Webapps Webapps    // what is in it, the folder alone knows
	Apps    []NamedApp // in the order of the file
	Sites   []Site     // likewise; none: App is what is served
}

// ControlOff is in place of a path: the server cannot be reached by commands.
const ControlOff = "off"

// Engine bounds what clients may do to connections. A duration of 0 is no limit.
type Engine struct {
	HeadTimeout time.Duration
	BodyStall   time.Duration
	WriteStall  time.Duration
	IdleTimeout time.Duration
	RequestLine Size
	Field       Size
	Fields      int
	Head        Size
	ServerName  string
}

// Static is how files are served.
type Static struct {
	Dir            string
	Listing        bool
	FollowSymlinks bool
	Charset        string
	Index          []string // nil: the usual names
	ProjectFiles   string   // Auto, Hide or Show
}

// What can be done with the private files of software projects.
const (
	Auto = "auto" // hidden where a folder looks like a project
	Hide = "hide"
	Show = "show"
)

// CGI is which scripts of a served folder run, and how.
type CGI struct {
	On                bool
	Python            string // "": python3
	Warm              bool
	Interpreters      map[string]string // by file ending, beside those that cgi knows; see NoProgram and AnyPython
	Env               []Variable
	Timeout           time.Duration // 0: none
	StallTimeout      time.Duration // 0: none
	KillGrace         time.Duration // 0: none
	MaxBody           Size
	MaxHead           Size
	MaxOutput         Size          // 0: no bound
	Scripts           int           // at the same time; 0: by the number of cores
	Queue             int           // 0: none
	QueueWait         time.Duration // 0: for ever
	PassAuthorization bool
	Compat            bool
	Limits            CGILimits
}

// Programs that an ending can be given beside those that PATH holds.
const (
	NoProgram = "off"    // such files are not run for their ending
	AnyPython = "python" // the Python that scripts are run with
)

// CGILimits bound what a script may take of the machine; 0 is no bound.
type CGILimits struct {
	CPU       time.Duration
	Memory    Size
	FileSize  Size
	Files     int
	Processes int
}

// Pages is whether the Python files of a served folder are pages, and how they run
// where CGI does not say it.
type Pages struct {
	On           bool
	Args         string        // None or Query
	HTML         string        // the folder of the other files; "": the same
	Applications int           // with processes at the same time
	Idle         time.Duration // 0: their processes do not end
}

// What pages that print get as arguments.
const (
	None  = "none"
	Query = "query"
)

// App is a Python application and how it is run.
type App struct {
	App           string // "module:callable"; "" to look for one
	Env           []Variable
	Python        string // "" to look for one
	Workers       int    // 0: by the number of cores
	MaxWorkers    int    // 0: as many as Workers
	Threads       int
	MaxRequests   int           // of one worker; 0: no limit
	MemorySoft    Size          // of one worker; 0: no limit
	MemoryHard    Size          // likewise
	Limits        AppLimits     // of all its processes
	Health        string        // a path of the application; "": none is asked for
	Slow          time.Duration // 0: never reported
	Timeout       time.Duration // 0: none
	StartTimeout  time.Duration // 0: none
	StallTimeout  time.Duration // 0: none
	MaxBody       Size
	SpoolMemory   Size
	ResponseSpool Size
	Queue         int
	QueueWait     time.Duration // 0: for ever
	Preload       bool
	Reload        bool // the source is watched: development

	Type  string // of one in a folder of applications: Auto, or what it is; CGI and Pages say how its scripts run
	Start string // likewise: AtOnce or ByRequest
	// Install is whether requirements of one are installed, likewise: Off, On, or the
	// folder of their wheels.
	Install string
	// Release are commands that are run, likewise, before new code takes over.
	Release []string
	// Processes run beside one, likewise.
	Processes []AppProcess

	StreamRequests bool
	NewPrivileges  bool
	Sendfile       bool
	AccelRedirect  map[string]string // URL prefix: folder
}

// Webapps is a folder of applications.
type Webapps struct {
	Dir   string   // "" for none named
	Hosts []string // as of a Site
}

// AppLimits bound what an application may take of the machine, with everything that
// it starts; 0 is no bound.
type AppLimits struct {
	Memory    Size
	CPU       float64 // cores
	Files     int     // of each process
	Processes int
}

// Manager is the page that looks after a folder of applications.
type Manager struct {
	Listen   string // "host:port"; "": there is none
	Link     bool   // a link is printed even where no terminal shows it
	Password string // its hash; "": links are the only way in
}

// Whether requirements are installed.
const (
	Off = "off"
	On  = "on"
)

// When an application is started.
const (
	AtOnce    = "now"
	ByRequest = "first-request"
)

// Log is where requests and events are written.
type Log struct {
	Access string // a path, "-" for standard output, "off"
	Format string // "text" or "json"
}

// Default is the configuration of somebody who says nothing.
func Default() Config {
	return Config{
		Listen:         []string{"127.0.0.1:8000"},
		Drain:          30 * time.Second,
		InterruptDrain: 5 * time.Second,
		Engine: Engine{
			HeadTimeout: 20 * time.Second,
			BodyStall:   30 * time.Second,
			WriteStall:  30 * time.Second,
			IdleTimeout: 75 * time.Second,
			RequestLine: 8 * KB,
			Field:       8 * KB,
			Fields:      100,
			Head:        32 * KB,
			ServerName:  "Gatehouse",
		},
		Static: Static{Listing: true, ProjectFiles: Auto},
		CGI: CGI{
			Warm:         true,
			Timeout:      60 * time.Second,
			StallTimeout: 60 * time.Second,
			KillGrace:    2 * time.Second,
			MaxBody:      10 * MB,
			MaxHead:      32 * KB,
			Queue:        100,
			QueueWait:    10 * time.Second,
			Compat:       true,
		},
		Pages: Pages{Args: None, Applications: 16, Idle: 5 * time.Minute},
		App: App{
			Threads:       1,
			Slow:          time.Second,
			Timeout:       60 * time.Second,
			StallTimeout:  60 * time.Second,
			StartTimeout:  60 * time.Second,
			MaxBody:       100 * MB,
			SpoolMemory:   1 * MB,
			ResponseSpool: 1 * GB,
			Queue:         100,
			QueueWait:     10 * time.Second,
			Preload:       true,
			Type:          Auto,
			Start:         AtOnce,
			Install:       Off,
		},
		Log: Log{Access: "-", Format: "text"},
	}
}
