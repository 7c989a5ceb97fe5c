package config

import "slices"

// Tables of a file beyond those that groups of settings have. A star stands for
// the name that somebody gives; sites and routes are arrays of tables.
const (
	appsTable   = "apps.*"
	sitesTable  = "sites"
	routesTable = "sites.routes"
)

// Groups of the keys that only these tables have.
const (
	Sites  Group = "Sites"
	Routes Group = "Routes"
)

// siteSettings are the rows of the table that stand in [[sites]],
// [[sites.routes]] and [apps.NAME] alone. Like all that have no flag they come
// from a file only.
func siteSettings() []Setting {
	site, route, app := []string{sitesTable}, []string{routesTable}, []string{appsTable}
	return []Setting{
		{
			Name: "dir", Group: Sites, Tables: app, Fixed: "the folder of the application's name",
			What:    "the project's folder",
			bindApp: func(a *NamedApp) Value { return pathValue{p: &a.Dir, kind: "FOLDER"} },
		},
		{
			Name: "mount", Group: Sites, Tables: app, Fixed: "the path of its routes",
			What:    `what of the path the application is told as SCRIPT_NAME, "/" for nothing`,
			bindApp: func(a *NamedApp) Value { return mountValue{&a.Mount} },
		},
		{
			Name: "user", Group: Sites, Tables: app, Guarded: true, Webapps: true, Fixed: "whom all run as who is named; else, started by root, the owner of the entry in webapps",
			What:    "whom one in webapps runs as; needs root",
			bindApp: func(a *NamedApp) Value { return textValue{&a.User, "NAME"} },
		},

		{
			Name: "hosts", Group: Sites, Tables: site, Fixed: "every host that no other site has",
			What:     `the names of the site; "*.example.org" stands for all below example.org`,
			bindSite: func(s *Site) Value { return newHosts(&s.Hosts) },
		},
		{
			Name: "root", Group: Sites, Tables: site, Fixed: "none",
			What:     "the folder whose files answer where no route says otherwise",
			bindSite: func(s *Site) Value { return pathValue{p: &s.Root, kind: "FOLDER"} },
		},

		{
			Name: "path", Group: Routes, Tables: route, Required: true, Fixed: "none, it must be there",
			What:      `"/about" for that path alone, "/docs/" or "/docs/*" for the folder with all in it, "/" for everything; the longest wins`,
			bindRoute: func(r *Route) Value { return patternValue{&r.Path} },
		},
		{
			Name: "methods", Group: Routes, Tables: route, Fixed: "all that no other route of the path takes",
			What:      "the methods that the route is for, GET with HEAD; others go to a shorter path that takes them, or get 405",
			bindRoute: func(r *Route) Value { return &listValue{p: &r.Methods, kind: "METHOD", check: checkMethod} },
		},
		{
			Name: string(KindStatic), Group: Routes, Tables: route, Kind: KindStatic, Fixed: "the site's root",
			What:      "serve the files of this folder; what the path has beyond the route's is looked for in it",
			bindRoute: func(r *Route) Value { return folderOf(r, KindStatic) },
		},
		{
			Name: "try-files", Group: Routes, Tables: route, Kinds: []RouteKind{KindStatic}, Fixed: "none",
			What: `files below the folder that answer where the path has none, the first that is there; "*" stands for the path, as in "*.html"`,
			bindRoute: func(r *Route) Value {
				return &listValue{p: &r.TryFiles, kind: "FILE", check: checkTry}
			},
		},
		{
			Name: "fallback", Group: Routes, Tables: route, Kinds: []RouteKind{KindStatic}, Fixed: "none",
			What: "the file below the folder that answers for what is no file and has no dot in its last part: the page of a single-page application",
			bindRoute: func(r *Route) Value {
				return checkedValue{textValue{&r.Fallback, "FILE"}, checkBelow}
			},
		},
		{
			Name: string(KindCGI), Group: Routes, Tables: route, Kind: KindCGI, Fixed: "none",
			What:      "run the scripts in this folder",
			bindRoute: func(r *Route) Value { return folderOf(r, KindCGI) },
		},
		{
			Name: string(KindPages), Group: Routes, Tables: route, Kind: KindPages, Fixed: "none",
			What:      "run the Python files in this folder, each as a page of its name, and serve its other files",
			bindRoute: func(r *Route) Value { return folderOf(r, KindPages) },
		},
		{
			Name: string(KindApp), Group: Routes, Tables: route, Kind: KindApp, Fixed: "none",
			What:      "the application of that name, which has a table [apps.NAME]",
			bindRoute: func(r *Route) Value { return textValue{&r.App, "NAME"} },
		},
		{
			Name: string(KindRedirect), Group: Routes, Tables: route, Kind: KindRedirect, Fixed: "none",
			What:      "send the visitor to this path or URL; a star at its end stands for what the route's path has one for",
			bindRoute: func(r *Route) Value { return checkedValue{textValue{&r.Redirect, "URL"}, checkRedirect} },
		},
		{
			Name: string(KindRespond), Group: Routes, Tables: route, Kind: KindRespond, Fixed: "the page of the status",
			What:      "answer with this text",
			bindRoute: func(r *Route) Value { return textValue{&r.Respond, "TEXT"} },
		},
		{
			Name: "status", Group: Routes, Tables: route, Kinds: []RouteKind{KindRedirect, KindRespond}, Fixed: "302 for a redirect, 200 for a text",
			What:      "the status of the answer: of a redirect 301, 302, 303, 307 or 308; alone in its route, it is the answer",
			bindRoute: func(r *Route) Value { return statusValue{&r.Status} },
		},
		{
			Name: "content-type", Group: Routes, Tables: route, Kinds: []RouteKind{KindRespond}, Fixed: "text/plain; charset=utf-8",
			What:      "what the text is",
			bindRoute: func(r *Route) Value { return checkedValue{textValue{&r.ContentType, "TYPE"}, checkContentType} },
		},

		{
			Name: headersTable, Group: Sites, Tables: []string{sitesTable, routesTable}, Fixed: "none",
			What:      `a table of changes to the header of answers: NAME = "value" sets a field, an array sets several lines, false removes it; a route's come on top of its site's, and these on top of all answers'`,
			bindSite:  func(s *Site) Value { return headersValue{&s.Headers} },
			bindRoute: func(r *Route) Value { return headersValue{&r.Headers} },
		},
		{
			Name: "error-pages", Group: Sites, Tables: []string{sitesTable, routesTable}, Fixed: "a plain page",
			What:      "a table of pages for errors that Gatehouse answers with: 404 = \"404.html\"; those of applications and scripts stay theirs",
			bindSite:  func(s *Site) Value { return errorPagesValue{&s.ErrorPages} },
			bindRoute: func(r *Route) Value { return errorPagesValue{&r.ErrorPages} },
		},
	}
}

// folderOf is the folder of a route of that kind; that of another kind is not
// its business.
func folderOf(r *Route, kind RouteKind) Value {
	if r.Kind != "" && r.Kind != kind {
		return pathValue{p: new(string), kind: "FOLDER"}
	}
	return pathValue{p: &r.Folder, kind: "FOLDER"}
}

// holder is what a table's keys are put into. Those that are also keys of a plain
// server have their place in config.
type holder struct {
	config *Config
	app    *NamedApp
	site   *Site
	route  *Route
}

// within is the setting's value in h.
func (s *Setting) within(h *holder) Value {
	switch {
	case h.route != nil && s.bindRoute != nil:
		return s.bindRoute(h.route)
	case h.site != nil && s.bindSite != nil:
		return s.bindSite(h.site)
	case h.app != nil && s.bindApp != nil:
		return s.bindApp(h.app)
	}
	return s.Value(h.config)
}

// placed is a setting in one of the tables that it may stand in.
type placed struct {
	*Setting
	table string
}

// concerns reports whether a route of that kind has a use for it.
func (s *Setting) concerns(kind RouteKind) bool {
	switch {
	case s.Kind != "":
		return s.Kind == kind
	case s.Name == "project-files": // where there are pages these are always hidden
		return kind == KindStatic
	case s.Group == Files:
		return kind == KindStatic || kind == KindPages
	case s.Group == Scripts:
		return kind == KindCGI || kind == KindPages
	case s.Group == PageScripts:
		return kind == KindPages
	}
	if slices.Contains(s.Kinds, kind) {
		return true
	}
	return len(s.Kinds) == 0
}

// tables are all tables that it may stand in, the first one first.
func (s *Setting) tables() []string {
	if len(s.Tables) > 0 {
		return s.Tables
	}
	var all []string
	if s.InFile() {
		all = append(all, s.Table())
	}
	switch {
	case s.bind == nil || s.AtStart:
	case s.Group == Applications:
		all = append(all, appsTable)
	case s.Group == Files:
		all = append(all, sitesTable, routesTable)
	case s.HowScripts():
		all = append(all, appsTable, routesTable)
	}
	return all
}

// everyPlace is each setting in each of its tables, table by table in the order
// of a file.
func everyPlace() []placed {
	order := append(plainTables(), appsTable, sitesTable, routesTable)
	// What only a table has comes first in it.
	rows := append(siteSettings(), Settings()...)
	var all []placed
	for _, table := range order {
		for i := range rows {
			for _, t := range rows[i].tables() {
				if t == table {
					all = append(all, placed{&rows[i], table})
				}
			}
		}
	}
	return all
}
