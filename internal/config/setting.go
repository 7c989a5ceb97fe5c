package config

import (
	"cmp"
	"slices"
	"strings"
)

// Group is a heading under which settings are listed.
type Group string

// The groups, in the order of help texts and reference.
const (
	Listening    Group = "Listening"
	Limits       Group = "Connections and request heads"
	Files        Group = "Files"
	Scripts      Group = "CGI"
	PageScripts  Group = "Page scripts"
	Applications Group = "Applications"
	AppsFolder   Group = "Folder of applications"
	Answers      Group = "Answers"
	ManagerPage  Group = "Manager page"
	Logs         Group = "Logs"
	Process      Group = "Process"
)

// Command says which commands have a setting as a flag.
type Command uint8

// The commands that serve.
const (
	Serve Command = 1 << iota // gatehouse [DIR] [PORT]
	Run                       // gatehouse run [TARGET] [PORT]
)

// Setting is one row of the table.
type Setting struct {
	// Name is the flag without its dashes, or, where there is no flag, the key in
	// a file or words.
	Name  string
	Group Group
	// Flag says which commands have it; 0 means that nothing on the command line
	// changes it. What has a Value and is no flag, or one of Run, is also a key in
	// a configuration file.
	Flag Command
	// Top reports that in a file it stands above all tables, whatever its group.
	Top bool
	// AtStart reports that only a restart takes a new value in.
	AtStart bool
	// Guarded reports that it takes effect with the rights of whoever started the
	// server, so that root does not take it from a file that others can write.
	Guarded bool
	// FileKey is its name in a file where that is not the flag's: the table says the
	// rest.
	FileKey string
	// Webapps reports that only applications in a folder of them have a use for it.
	Webapps bool
	// Field is the field of the Go library that does the same, "" if there is none.
	Field string
	// What is the help text: one clause, lower case, no full stop.
	What string
	// Why is the reason for the default, for the reference; may be empty.
	Why string
	// Fixed is the default in words where it is no value of a Config.
	Fixed string

	// The rest is for keys of sites, routes and named applications.

	// Tables are those that it may stand in, where its group does not say.
	Tables []string
	// Kind is the kind of route that it makes of its table; Kinds are those that
	// it concerns, none if all.
	Kind  RouteKind
	Kinds []RouteKind
	// Required reports that its table cannot be without it.
	Required bool

	bind      func(*Config) Value
	bindApp   func(*NamedApp) Value
	bindSite  func(*Site) Value
	bindRoute func(*Route) Value
}

// Value is the setting within c. It is nil where the table has only words.
func (s *Setting) Value(c *Config) Value {
	if s.bind == nil {
		return nil
	}
	return s.bind(c)
}

// InFile reports whether it is a key in a configuration file.
func (s *Setting) InFile() bool {
	return s.bind != nil && (s.Flag == 0 || s.Flag&Run != 0 || s.HowScripts())
}

// HowScripts reports whether it says how scripts run, wherever they lie.
func (s *Setting) HowScripts() bool {
	switch s.Group {
	case Scripts:
		return s.Name != "cgi"
	case PageScripts:
		return s.Name != "pages" && s.Name != "html"
	}
	return false
}

// ForWebapps reports whether in [app] only applications in a folder of them have
// a use for it.
func (s *Setting) ForWebapps() bool { return s.Webapps || s.HowScripts() }

// Key is its name in a file: mostly the flag's, with underscores as Python has
// them.
func (s *Setting) Key() string { return cmp.Or(s.FileKey, strings.ReplaceAll(s.Name, "-", "_")) }

// Table is where in a file it stands; "" is above all tables.
func (s *Setting) Table() string {
	if s.Top {
		return ""
	}
	switch s.Group {
	case Limits:
		return "limits"
	case Applications, Scripts, PageScripts:
		return "app"
	case AppsFolder:
		return "webapps"
	case ManagerPage:
		return "manager"
	case Logs:
		return "log"
	}
	return ""
}

// Reloads reports whether a reload takes a new value in.
func (s *Setting) Reloads() bool { return !s.AtStart }

// fileSettings are those that are keys in a configuration file, table by table.
func fileSettings() []Setting {
	all := slices.DeleteFunc(Settings(), func(s Setting) bool { return !s.InFile() })
	slices.SortStableFunc(all, func(a, b Setting) int { return cmp.Compare(tableOrder(a.Table()), tableOrder(b.Table())) })
	return all
}

// plainTables are the tables that groups of settings have, in the order of a file:
// what stands above them, then what most people set first.
func plainTables() []string { return []string{"", "webapps", "app", "limits", "manager", "log"} }

// tableOrder is the order of the tables in a file.
func tableOrder(table string) int {
	return slices.Index(append(plainTables(), headersTable, "sites"), table)
}

// Default is the default as text. Where a Config's zero means "found out on
// start", Fixed says so.
func (s *Setting) Default() string {
	if s.Fixed != "" || s.bind == nil {
		return s.Fixed
	}
	c := Default()
	text := s.bind(&c).String()
	if text == "" {
		return "none"
	}
	return text
}

// Settings is the table, one row for every value that a user can meet. Each
// call makes it anew.
func Settings() []Setting {
	both := Serve | Run
	return []Setting{
		{
			Name: "listen", Group: Listening, Flag: both, Guarded: true, Field: "gatehouse.Server.Addr",
			What: "where to listen: host:port, :port for every network this machine is in, or unix:/path; may be repeated",
			Why:  "only this machine until somebody asks for more",
			bind: func(c *Config) Value { return &listValue{p: &c.Listen, kind: "ADDR"} },
		},
		{
			Name: "backlog", Group: Listening, Flag: both, AtStart: true, Field: "gatehouse.Server.Backlog", Fixed: "the system's maximum",
			What: "how many clients may wait to be accepted",
			Why:  "a queue that is full refuses clients",
			bind: func(c *Config) Value { return countValue{&c.Backlog, 0, 1 << 20, "max"} },
		},
		{
			Name: "trusted-proxy", Group: Listening, Flag: both, Field: "forwarded.Trust",
			What: "believe X-Forwarded-For, X-Forwarded-Proto and X-Request-Id from this address, prefix, or unix; may be repeated",
			Why:  "any client can write these fields; from everybody else they are dropped",
			bind: func(c *Config) Value { return &listValue{p: &c.TrustedProxies, kind: "CIDR"} },
		},
		{
			Name: "Unix socket", Group: Listening, Field: "gatehouse.Listen", Fixed: "mode 0660; replaced only if connecting is refused",
			What: "who may connect to a Unix socket, and what happens to one that is there",
			Why:  "a server in front shares the group; a server that runs keeps its socket",
		},
		{
			Name: "SO_REUSEPORT", Group: Listening, Field: "gatehouse.Listen", Fixed: "never",
			What: "whether two servers may listen on one port",
			Why:  "a port that is taken is an error, not half of the requests",
		},

		{
			Name: "head-timeout", Group: Limits, Flag: both, Field: "gatehouse.Server.HeadTimeout",
			What: "how long a request head may take; then 408",
			bind: func(c *Config) Value { return durationValue{&c.Engine.HeadTimeout} },
		},
		{
			Name: "body-stall-timeout", Group: Limits, Flag: both, Field: "gatehouse.Server.BodyStallTimeout",
			What: "how long a request body may stand still; then 408",
			Why:  "without progress, not in total: a slow upload that moves lives on",
			bind: func(c *Config) Value { return durationValue{&c.Engine.BodyStall} },
		},
		{
			Name: "write-stall-timeout", Group: Limits, Flag: both, Field: "gatehouse.Server.WriteStallTimeout",
			What: "how long a client may take nothing of its response",
			Why:  "without progress, not in total: a slow download that moves lives on",
			bind: func(c *Config) Value { return durationValue{&c.Engine.WriteStall} },
		},
		{
			Name: "idle-timeout", Group: Limits, Flag: both, Field: "gatehouse.Server.IdleTimeout",
			What: "how long a connection is kept for the next request",
			Why:  "above the 60 s of the usual load balancer",
			bind: func(c *Config) Value { return durationValue{&c.Engine.IdleTimeout} },
		},
		{
			Name: "max-request-line", Group: Limits, Flag: both, Field: "gatehouse.Server.MaxRequestLine",
			What: "longest request line; then 414",
			bind: func(c *Config) Value { return sizeValue{&c.Engine.RequestLine, 128} },
		},
		{
			Name: "max-field", Group: Limits, Flag: both, Field: "gatehouse.Server.MaxField",
			What: "longest header field; then 431",
			bind: func(c *Config) Value { return sizeValue{&c.Engine.Field, 128} },
		},
		{
			Name: "max-fields", Group: Limits, Flag: both, Field: "gatehouse.Server.MaxFields",
			What: "most header fields; then 431",
			bind: func(c *Config) Value { return countValue{&c.Engine.Fields, 1, 1 << 16, ""} },
		},
		{
			Name: "max-head", Group: Limits, Flag: both, Field: "gatehouse.Server.MaxHead",
			What: "longest request head; then 431",
			bind: func(c *Config) Value { return sizeValue{&c.Engine.Head, 256} },
		},

		{
			Name: "listing", Group: Files, Flag: Serve, Field: "static.Config.Listing", Fixed: "on for a folder that is served, off elsewhere",
			What: "show what is in folders that have no index.html",
			bind: func(c *Config) Value { return boolValue{&c.Static.Listing} },
		},
		{
			Name: "index", Group: Files, Flag: Serve, Field: "static.Config.Index", Fixed: "index.html, index.htm",
			What: "the file that answers for its folder; may be repeated, the first that is there counts",
			bind: func(c *Config) Value { return &listValue{p: &c.Static.Index, kind: "NAME", check: checkFileName} },
		},
		{
			Name: "follow-symlinks", Group: Files, Flag: Serve, Field: "static.Config.FollowSymlinks",
			What: "follow symbolic links that stay inside the folder",
			Why:  "what a link reaches was not chosen for publication",
			bind: func(c *Config) Value { return boolValue{&c.Static.FollowSymlinks} },
		},
		{
			Name: "charset", Group: Files, Flag: Serve, Field: "static.Config.Charset", Fixed: "what the file says, utf-8 where its bytes are, else none",
			What: "the charset of text files, such as gbk",
			Why:  "bytes are never changed, and a wrong charset is worse than none",
			bind: func(c *Config) Value { return textValue{&c.Static.Charset, "NAME"} },
		},
		{
			Name: "dotfiles", Group: Files, Fixed: "404, except below /.well-known/",
			What: "names that begin with a dot", Why: "keys and passwords lie in .env and .git",
		},
		{
			Name: "project-files", Group: Files, Flag: Serve, Field: "static.Config.Project",
			What: "sources, byte code, databases, TOML, keys and backups; auto hides them below what looks like a project",
			Why:  "nobody wants these published by pointing at the wrong folder; said on start",
			bind: func(c *Config) Value { return choiceValue{&c.Static.ProjectFiles, []string{Auto, Hide, Show}} },
		},
		{
			Name: "Cache-Control", Group: Files, Fixed: "HTML no-cache; names with a content hash public, max-age=31536000, immutable; else none",
			What: "how long files may be kept by caches", Why: "validators do the rest",
		},
		{
			Name: "request bodies to files", Group: Files, Fixed: "none",
			What: "methods other than GET, HEAD and OPTIONS get 405",
		},

		{
			Name: "cgi", Group: Scripts, Flag: Serve, Field: "cgi.Open",
			What: "run the scripts in cgi-bin and htbin below the folder; off, requests for them get 403",
			Why:  "nothing is executed that nobody asked for; their sources are never served",
			bind: func(c *Config) Value { return boolValue{&c.CGI.On} },
		},
		{
			Name: "cgi-python", Group: Scripts, Flag: Serve, Field: "cgi.Config.Python", Fixed: "python3",
			What: "the interpreter for scripts that end in .py, or ask for a Python that is not there",
			bind: func(c *Config) Value { return pathValue{p: &c.CGI.Python, kind: "PATH", name: true} },
		},
		{
			Name: "cgi-warm", Group: Scripts, Flag: Serve, Field: "cgi.Config.Warm",
			What: "run Python scripts in processes forked from an interpreter that has started before",
			Why:  "starting an interpreter takes ten times as long; off, each script has one started for it",
			bind: func(c *Config) Value { return boolValue{&c.CGI.Warm} },
		},
		{
			Name: "cgi-interpreter", Group: Scripts, Flag: Serve, Field: "cgi.Config.Interpreters", Fixed: ".py=python, .pl=perl, .sh=/bin/sh",
			What: "what runs files with this ending that have no first line to say so: a program, python for cgi-python's, or off; may be repeated",
			Why:  "such a program never gets arguments from a request",
			bind: func(c *Config) Value { return interpretersValue{&c.CGI.Interpreters} },
		},
		{
			Name: "cgi-env", Group: Scripts, Flag: Serve, Field: "cgi.Config.Env", Fixed: "PATH",
			What: "a variable of the scripts' environment; NAME alone is the server's own; may be repeated",
			Why:  "a script's environment is bare: what the server was started with is none of its business",
			bind: func(c *Config) Value { return &variablesValue{&c.CGI.Env} },
		},
		{
			Name: "cgi-timeout", Group: Scripts, Flag: Serve, Field: "cgi.Config.Timeout",
			What: "end a script that has not begun its answer after this time; then 504",
			bind: func(c *Config) Value { return durationValue{&c.CGI.Timeout} },
		},
		{
			Name: "cgi-stall-timeout", Group: Scripts, Flag: Serve, Field: "cgi.Config.StallTimeout",
			What: "end a script whose answer stands still this long",
			Why:  "a total would cut streams",
			bind: func(c *Config) Value { return durationValue{&c.CGI.StallTimeout} },
		},
		{
			Name: "cgi-kill-grace", Group: Scripts, Flag: Serve, Field: "cgi.Config.KillGrace",
			What: "what a script that has to end gets between SIGTERM and SIGKILL",
			bind: func(c *Config) Value { return durationValue{&c.CGI.KillGrace} },
		},
		{
			Name: "cgi-max-body", Group: Scripts, Flag: Serve, Field: "cgi.Config.MaxBody",
			What: "largest request body for a script; then 413",
			Why:  "forms and pictures, not films",
			bind: func(c *Config) Value { return sizeValue{&c.CGI.MaxBody, 0} },
		},
		{
			Name: "cgi-max-head", Group: Scripts, Flag: Serve, Field: "cgi.Config.MaxHead",
			What: "longest head that a script may print; then 502",
			bind: func(c *Config) Value { return cappedValue{sizeValue{&c.CGI.MaxHead, 256}, 63 * KB} },
		},
		{
			Name: "cgi-max-output", Group: Scripts, Flag: Serve, Field: "cgi.Config.MaxOutput",
			What: "end a script that prints more than this",
			Why:  "output is never stored: a fast script waits for its client",
			bind: func(c *Config) Value { return boundValue{&c.CGI.MaxOutput, 1 * KB} },
		},
		{
			Name: "cgi-scripts", Group: Scripts, Flag: Serve, Field: "cgi.Config.MaxScripts", Fixed: "four for each core, 8 at least",
			What: "how many scripts of a folder run at the same time",
			Why:  "scripts wait more than they compute",
			bind: func(c *Config) Value { return countValue{&c.CGI.Scripts, 1, 1 << 16, "auto"} },
		},
		{
			Name: "cgi-queue", Group: Scripts, Flag: Serve, Field: "cgi.Config.Queue",
			What: "how many requests may wait for a script to end, in each folder; then 503",
			bind: func(c *Config) Value { return countValue{&c.CGI.Queue, 0, 1 << 20, "off"} },
		},
		{
			Name: "cgi-queue-wait", Group: Scripts, Flag: Serve, Field: "cgi.Config.QueueWait",
			What: "how long a request waits for a script to end; then 503 with Retry-After",
			bind: func(c *Config) Value { return durationValue{&c.CGI.QueueWait} },
		},
		{
			Name: "cgi-pass-authorization", Group: Scripts, Flag: Serve, Field: "cgi.Config.PassAuthorization",
			What: "pass the Authorization field to scripts",
			Why:  "only scripts that check passwords themselves have business with one",
			bind: func(c *Config) Value { return boolValue{&c.CGI.PassAuthorization} },
		},
		{
			Name: "cgi-compat", Group: Scripts, Flag: Serve, Field: "cgi.Config.NoCompat",
			What: "have import cgi and import cgitb work in scripts whose Python, 3.13 or later, has neither",
			Why:  "scripts go on working; what Python itself has comes first",
			bind: func(c *Config) Value { return boolValue{&c.CGI.Compat} },
		},
		{
			Name: "cgi-limit-cpu", Group: Scripts, Flag: Serve, Field: "cgi.Limits.CPU",
			What: "how much CPU time a process of a script may use, in whole seconds",
			Why:  "what a script may take depends on the script: limits are there for folders that others write scripts for",
			bind: func(c *Config) Value { return durationValue{&c.CGI.Limits.CPU} },
		},
		{
			Name: "cgi-limit-memory", Group: Scripts, Flag: Serve, Field: "cgi.Limits.Memory",
			What: "how much address space a process of a script may have",
			bind: func(c *Config) Value { return boundValue{&c.CGI.Limits.Memory, 1 * MB} },
		},
		{
			Name: "cgi-limit-file-size", Group: Scripts, Flag: Serve, Field: "cgi.Limits.FileSize",
			What: "how large a file may be that a script writes",
			bind: func(c *Config) Value { return boundValue{&c.CGI.Limits.FileSize, 1} },
		},
		{
			Name: "cgi-limit-files", Group: Scripts, Flag: Serve, Field: "cgi.Limits.Files",
			What: "how many files a process of a script may have open",
			bind: func(c *Config) Value { return countValue{&c.CGI.Limits.Files, 3, 1 << 20, "off"} },
		},
		{
			Name: "cgi-limit-processes", Group: Scripts, Flag: Serve, Field: "cgi.Limits.Processes",
			What: "how many processes and threads the scripts' user may have, all else that it runs included; root is not bounded",
			bind: func(c *Config) Value { return countValue{&c.CGI.Limits.Processes, 1, 1 << 22, "off"} },
		},

		{
			Name: "pages", Group: PageScripts, Flag: Serve, Field: "pagescript.Open",
			What: "run the Python files in the folder, each as a page of its name, and serve the other files; --cgi-python, limits and times of --cgi hold for them",
			Why:  "nothing is executed that nobody asked for; their sources are never served",
			bind: func(c *Config) Value { return boolValue{&c.Pages.On} },
		},
		{
			Name: "pages-args", Group: PageScripts, Flag: Serve, Field: "cgi.Config.QueryArgument",
			What: "what pages that print get as argument: query is the query string, undecoded and in one piece",
			bind: func(c *Config) Value { return choiceValue{&c.Pages.Args, []string{None, Query}} },
		},
		{
			Name: "html", Group: PageScripts, Flag: Serve, Field: "pagescript.Config.Files", Fixed: "the folder of the pages",
			What: "serve the files of this folder beside the pages, and none of the pages' own folder",
			bind: func(c *Config) Value { return pathValue{p: &c.Pages.HTML, kind: "PATH"} },
		},
		{
			Name: "pages-applications", Group: PageScripts, Flag: Serve, Field: "pagescript.Config.MaxApplications",
			What: "how many pages with a WSGI application have processes at the same time; one more takes the place of one that is idle",
			Why:  "each has two processes at least, of about 10 MB",
			bind: func(c *Config) Value { return countValue{&c.Pages.Applications, 1, 1 << 10, ""} },
		},
		{
			Name: "pages-idle", Group: PageScripts, Flag: Serve, Field: "pagescript.Config.Idle",
			What: "end the processes of a page that nobody has asked for this long",
			Why:  "long beside the pauses of a visitor who reads",
			bind: func(c *Config) Value { return durationValue{&c.Pages.Idle} },
		},

		{
			Name: "app", Group: Applications, Field: "pyapp.Config.App", Fixed: "what is found in the folder",
			What: "the application, as module:callable or module:factory()",
			bind: func(c *Config) Value { return textValue{&c.App.App, "TEXT"} },
		},
		{
			Name: "env", Group: Applications, Field: "pyapp.Config.Env", Fixed: "what the server has",
			What: `variables of the application's environment, a table: NAME = "text", { file = "PATH" } or { env = "NAME" }`,
			Why:  "a secret stays out of the file; files are read with the application's rights",
			bind: func(c *Config) Value { return &variablesValue{&c.App.Env} },
		},
		{
			Name: "python", Group: Applications, Flag: Run, Top: true, Field: "pyapp.Config.Python", Fixed: "VIRTUAL_ENV, .venv, venv, pyproject.toml, then python3",
			What: "the interpreter to run the application with",
			bind: func(c *Config) Value { return pathValue{p: &c.App.Python, kind: "PATH", name: true} },
		},
		{
			Name: "workers", Group: Applications, Flag: Run, Field: "pyapp.Config.Workers", Fixed: "the cores this machine or container has, 2 to 8",
			What: "how many worker processes; with a range as many as the queue asks for, started when requests wait, ended when they idle",
			bind: func(c *Config) Value { return rangeValue{&c.App.Workers, &c.App.MaxWorkers, 1, 1024, "auto"} },
		},
		{
			Name: "threads", Group: Applications, Flag: Run, Field: "pyapp.Config.Threads",
			What: "how many requests a worker runs at once", Why: "applications are not always thread-safe",
			bind: func(c *Config) Value { return countValue{&c.App.Threads, 1, 1024, ""} },
		},
		{
			Name: "preload", Group: Applications, Flag: Run, Field: "pyapp.Config.NoPreload",
			What: "import the application once and fork the workers",
			Why:  "shared memory, and a new worker in milliseconds; off for applications that cannot be forked",
			bind: func(c *Config) Value { return boolValue{&c.App.Preload} },
		},
		{
			Name: "reload", Group: Applications, Flag: Run, AtStart: true,
			What: "load new code whenever a source file is saved, and show tracebacks to browsers on this machine; 2 workers unless told otherwise",
			Why:  "for development only: what visitors get should not change at a keystroke",
			bind: func(c *Config) Value { return boolValue{&c.App.Reload} },
		},
		{
			Name: "max-requests", Group: Applications, Flag: Run, Field: "pyapp.Config.MaxRequests",
			What: "replace a worker after about so many requests, a tenth more or fewer so that they do not all end at once",
			Why:  "for applications that leak; the new worker is ready before the old one ends",
			bind: func(c *Config) Value { return countValue{&c.App.MaxRequests, 0, 1 << 30, "off"} },
		},
		{
			Name: "memory-soft", Group: Applications, Flag: Run, Field: "pyapp.Config.MemorySoft",
			What: "replace a worker that has more memory of its own than this; it finishes its requests",
			bind: func(c *Config) Value { return boundValue{&c.App.MemorySoft, 1 * MB} },
		},
		{
			Name: "memory-hard", Group: Applications, Flag: Run, Field: "pyapp.Config.MemoryHard",
			What: "end a worker at once that has more memory of its own than this; the request it runs gets 502",
			Why:  "one worker's end is better than that of whatever the system would pick",
			bind: func(c *Config) Value { return boundValue{&c.App.MemoryHard, 1 * MB} },
		},
		{
			Name: "limit-memory", Group: Applications, Flag: Run, Field: "pyapp.Config.Confinement",
			What: "how much memory an application may have with all that it starts; where no control group can be made for it, how much each of its processes may",
			Why:  "what an application may take depends on the application",
			bind: func(c *Config) Value { return boundValue{&c.App.Limits.Memory, 16 * MB} },
		},
		{
			Name: "limit-cpu", Group: Applications, Flag: Run, Field: "pyapp.Config.Confinement",
			What: "how many processor cores an application may keep busy with all that it starts, such as 0.5; only a control group can hold it to that",
			bind: func(c *Config) Value { return coresValue{&c.App.Limits.CPU} },
		},
		{
			Name: "limit-files", Group: Applications, Flag: Run, Field: "pyapp.Config.Confinement",
			What: "how many files each process of an application may have open, connections included",
			bind: func(c *Config) Value { return countValue{&c.App.Limits.Files, 64, 1 << 20, "off"} },
		},
		{
			Name: "limit-processes", Group: Applications, Flag: Run, Field: "pyapp.Config.Confinement",
			What: "how many processes and threads an application may have; where no control group can be made for it, how many its user may, all else that it runs included, and root is not bounded",
			bind: func(c *Config) Value { return countValue{&c.App.Limits.Processes, 4, 1 << 22, "off"} },
		},
		{
			Name: "health", Group: Applications, Flag: Run, Field: "pyapp.Config.Health",
			What: "a path that new workers must answer with 2xx or 3xx before they take over, at the start and at a reload",
			Why:  "only the application knows what has to work",
			bind: func(c *Config) Value { return textValue{&c.App.Health, "PATH"} },
		},
		{
			Name: "start-timeout", Group: Applications, Flag: Run, Field: "pyapp.Config.StartTimeout",
			What: "how long the import, the start of a worker and its health check may take",
			bind: func(c *Config) Value { return durationValue{&c.App.StartTimeout} },
		},
		{
			Name: "slow", Group: Applications, Flag: Run, Field: "pyapp.Config.Slow",
			What: "report a request with its Python stack after this time",
			bind: func(c *Config) Value { return durationValue{&c.App.Slow} },
		},
		{
			Name: "timeout", Group: Applications, Flag: Run, Field: "pyapp.Config.Timeout",
			What: "give up on a request that has no answer after this time; then 504",
			bind: func(c *Config) Value { return durationValue{&c.App.Timeout} },
		},
		{
			Name: "stall-timeout", Group: Applications, Flag: Run, Field: "pyapp.Config.StallTimeout",
			What: "give up on an answer that stands still this long",
			Why:  "a total would cut streams",
			bind: func(c *Config) Value { return durationValue{&c.App.StallTimeout} },
		},
		{
			Name: "max-body", Group: Applications, Flag: Run, Field: "pyapp.Config.MaxBody",
			What: "largest request body; then 413", Why: "1 MB, as elsewhere, breaks uploads",
			bind: func(c *Config) Value { return sizeValue{&c.App.MaxBody, 0} },
		},
		{
			Name: "spool-memory", Group: Applications, Flag: Run, Field: "pyapp.Config.SpoolMemory",
			What: "how much of a body is held in memory; what is more goes to an unlinked file",
			bind: func(c *Config) Value { return sizeValue{&c.App.SpoolMemory, 4 * KB} },
		},
		{
			Name: "response-spool", Group: Applications, Flag: Run, Field: "pyapp.Config.ResponseSpool",
			What: "how much of a response is taken from a worker ahead of a slow client",
			Why:  "a slow client must not hold a worker",
			bind: func(c *Config) Value { return sizeValue{&c.App.ResponseSpool, 0} },
		},
		{
			Name: "stream-requests", Group: Applications, Flag: Run, Field: "pyapp.Config.StreamRequests",
			What: "give an application a request body while the client sends it",
			Why:  "off, a slow client holds no worker; on, it holds one until its body is here",
			bind: func(c *Config) Value { return boolValue{&c.App.StreamRequests} },
		},
		{
			Name: "new-privileges", Group: Applications, Flag: Run, Field: "pyapp.Config.NewPrivileges",
			What: "let programs with the set-user-ID bit, such as sudo or sendmail, give an application's processes their owner's rights",
			Why:  "whoever breaks into an application stays whom it runs as; CGI scripts may always, because form mailers do",
			bind: func(c *Config) Value { return boolValue{&c.App.NewPrivileges} },
		},
		{
			Name: "x-sendfile", Group: Applications, Flag: Run, Field: "pyapp.Config.Sendfile",
			What: "send the file that a response's X-Sendfile field names in place of its body",
			Why:  "a field that an application passes on from elsewhere must not pick files",
			bind: func(c *Config) Value { return boolValue{&c.App.Sendfile} },
		},
		{
			Name: "accel-redirect", Group: Applications, Flag: Run, Field: "pyapp.Config.AccelRedirect",
			What: "send the file below FOLDER that a response's X-Accel-Redirect field names by a path below PREFIX; may be repeated",
			Why:  "only what lies in these folders can be named",
			bind: func(c *Config) Value { return &foldersValue{p: &c.App.AccelRedirect} },
		},
		{
			Name: "queue", Group: Applications, Flag: Run, Field: "pyapp.Config.QueuePerWorker",
			What: "how many requests may wait, times the most workers there may be; then 503",
			bind: func(c *Config) Value { return countValue{&c.App.Queue, 1, 1 << 20, ""} },
		},
		{
			Name: "queue-wait", Group: Applications, Flag: Run, Field: "pyapp.Config.QueueWait",
			What: "how long a request waits for a worker; then 503 with Retry-After",
			bind: func(c *Config) Value { return durationValue{&c.App.QueueWait} },
		},
		{
			Name: "type", Group: Applications, Webapps: true, Field: "webapps.App.Type",
			What: "what an application in webapps is, in its own gatehouse.toml",
			Why:  "files that nobody has declared to be a site are not served; nor does code run as pages that nobody has declared to be some",
			bind: func(c *Config) Value {
				return choiceValue{&c.App.Type, []string{Auto, "static", "cgi", "pages", "wsgi"}}
			},
		},
		{
			Name: "start", Group: Applications, Webapps: true, Field: "webapps.App.Lazy",
			What: "when a WSGI application in webapps is started; by its first request saves memory where most of many idle",
			bind: func(c *Config) Value { return choiceValue{&c.App.Start, []string{AtOnce, ByRequest}} },
		},
		{
			Name: "install", Group: Applications, Webapps: true, Field: "webapps.App.Install",
			What: "install what requirements.txt, or else [project] in pyproject.toml, names into an environment of the application's own before it starts; a folder is where the wheels lie, and then nothing is fetched",
			Why:  "an installation runs code of others, and takes its time",
			bind: func(c *Config) Value { return installValue{&c.App.Install} },
		},
		{
			Name: "release", Group: Applications, Webapps: true, Field: "webapps.App.Release",
			What: "commands that an application in webapps has run before new code takes over, such as python manage.py migrate --noinput; one that fails keeps the old",
			bind: func(c *Config) Value { return &listValue{p: &c.App.Release, kind: "COMMAND"} },
		},
		{
			Name: "processes", Group: Applications, Top: true, Webapps: true, Field: "webapps.App.Processes", Fixed: "none",
			What: `what an application in webapps has running beside it, a table: NAME = "COMMAND" always, NAME = { cron = "*/5 * * * *", command = "COMMAND" } again and again`,
			bind: func(c *Config) Value { return processesValue{&c.App.Processes} },
		},
		{
			Name: "retry", Group: Applications, Fixed: "only a request that no worker has begun",
			What: "what happens to the requests of a worker that dies", Why: "a second try could have side effects",
		},

		{
			Name: "webapps", Group: AppsFolder, Flag: Run, FileKey: "dir", AtStart: true, Guarded: true, Field: "webapps.Open", Fixed: "webapps in the folder, if it is there",
			What: "a folder of applications: each folder or archive in it runs at the path that its name says",
			bind: func(c *Config) Value { return pathValue{p: &c.Webapps.Dir, kind: "DIR"} },
		},
		{
			Name: "webapps-hosts", Group: AppsFolder, FileKey: "hosts", Guarded: true, Fixed: "every host that no site has",
			What: `the names under which the folder of applications answers; "*.example.org" stands for all below example.org`,
			Why:  "beside sites it is one of them",
			bind: func(c *Config) Value { return newHosts(&c.Webapps.Hosts) },
		},

		{
			Name: "server-name", Group: Answers, Flag: both, Field: "gatehouse.Server.Name",
			What: "the Server field of answers; - for none", Why: "no version; an application's own Server and Date win",
			bind: func(c *Config) Value { return textValue{&c.Engine.ServerName, "TEXT"} },
		},
		{
			Name: headersTable, Group: Answers, Fixed: "none",
			What: `a table of changes to the header of all answers: NAME = "value" sets a field, an array sets several lines, false removes it; a site's come on top`,
			bind: func(c *Config) Value { return headersValue{&c.Headers} },
		},
		{
			Name: "error page", Group: Answers, Fixed: "status, one sentence, request identifier",
			What: "what visitors see of an error", Why: "tracebacks go to the log, and with reload to a developer: loopback peer, loopback Host, no proxy in between",
		},

		{
			Name: "manager", Group: ManagerPage, Flag: Run, FileKey: "listen", AtStart: true, Guarded: true, Fixed: "off",
			What: "show the manager page for sites and a folder of applications at this address of this machine, such as 127.0.0.1:8001",
			Why:  "whoever gets in may run code: it is on no listener for visitors, and nowhere unless asked for",
			bind: func(c *Config) Value { return textValue{&c.Manager.Listen, "ADDR"} },
		},
		{
			Name: "manager-link", Group: ManagerPage, Flag: Run, FileKey: "link", AtStart: true, Fixed: "on where standard error is a terminal",
			What: "print a link to the manager page on start that lets in once, within ten minutes",
			Why:  "what is printed elsewhere than on a terminal may be kept, and read by others",
			bind: func(c *Config) Value { return boolValue{&c.Manager.Link} },
		},
		{
			Name: "manager-password", Group: ManagerPage, FileKey: "password", AtStart: true, Fixed: "none: only links let in",
			What: "the hash of the password for the manager page, as gatehouse manager password prints it",
			Why:  "a password is on no command line, and in no file as it is",
			bind: func(c *Config) Value { return textValue{&c.Manager.Password, "HASH"} },
		},

		{
			Name: "access-log", Group: Logs, Flag: both, Guarded: true, Field: "accesslog.Open",
			What: "where requests are logged: a path, - for standard output, or off",
			Why:  "control bytes are escaped: no client writes a line of its own",
			bind: func(c *Config) Value { return pathValue{p: &c.Log.Access, kind: "PATH|-|off"} },
		},
		{
			Name: "log-format", Group: Logs, Flag: both, Field: "accesslog.Format",
			What: "the form of the logs; text is the combined format for requests",
			bind: func(c *Config) Value { return choiceValue{&c.Log.Format, []string{"text", "json"}} },
		},
		{
			Name: "error log", Group: Logs, Field: "gatehouse.Server.ErrorLog", Fixed: "standard error",
			What: "where the server and applications report",
		},
		{
			Name: "colour", Group: Logs, Fixed: "on a UTF-8 terminal without NO_COLOR",
			What: "colour, and characters beyond ASCII, on the screen",
		},

		{
			Name: "user", Group: Process, Flag: both, Guarded: true, AtStart: true, Fixed: "an application or scripts: their folder's owner if started by root; else whoever started gatehouse",
			What: "whom the process becomes once it has its ports; needs root",
			Why:  "no code gains rights by being served, and no file is opened with rights that an application lacks",
			bind: func(c *Config) Value { return textValue{&c.User, "NAME"} },
		},
		{
			Name: "control", Group: Process, Flag: Run, AtStart: true, Guarded: true, Fixed: "one of its own in $XDG_RUNTIME_DIR/gatehouse, /run/gatehouse for root",
			What: "where gatehouse status, deploy, top and other commands reach the server: the path of a Unix socket, or off",
			Why:  "only root and the server's own user can connect",
			bind: func(c *Config) Value { return pathValue{p: &c.Control, kind: "PATH|off"} },
		},
		{
			Name: "drain", Group: Process, Flag: both, Field: "gatehouse.Server.Shutdown",
			What: "how long SIGTERM lets requests finish; a second signal ends at once",
			bind: func(c *Config) Value { return durationValue{&c.Drain} },
		},
		{
			Name: "interrupt-drain", Group: Process, Flag: Run,
			What: "how long Ctrl-C lets requests of an application finish",
			Why:  "whoever presses Ctrl-C waits; files end at once",
			bind: func(c *Config) Value { return durationValue{&c.InterruptDrain} },
		},
	}
}
