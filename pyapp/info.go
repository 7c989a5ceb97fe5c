package pyapp

// Info is what an application and its interpreter tell about themselves once
// they are loaded.
type Info struct {
	Python           string        `json:"python"`         // version, such as "3.13.0"
	Implementation   string        `json:"implementation"` // "CPython" or "PyPy"
	Framework        Framework     `json:"framework"`      // zero if none was recognised
	Static           []StaticMount `json:"static"`         // in the order of URL length, longest first
	Debug            bool          `json:"debug"`          // the framework shows tracebacks to visitors
	Warnings         []string      `json:"warnings"`       // one sentence each; they are in the log, too
	Workers, Threads int           `json:"-"`
	MaxWorkers       int           `json:"-"` // at least Workers
}

// Framework names a web framework.
type Framework struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// StaticMount is a URL prefix whose files the application wants served.
type StaticMount struct {
	URL  string   `json:"url"`  // path on the site, the application's mount included; starts and ends with a slash
	Dirs []string `json:"dirs"` // absolute; the first that has the file wins
}
