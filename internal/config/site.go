package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NamedApp is an application that routes of sites lead to, or what is said of one
// in a folder of applications.
type NamedApp struct {
	Name     string
	InFolder bool   // it is one in a folder of applications, if there is one of that name
	Dir      string // absolute; "" of one in a folder
	Mount    string // what it is told as SCRIPT_NAME; "" for nothing, or of one in a folder
	App      App

	// Of one in a folder of applications. What is not said of one is as by default;
	// Loaded.Override knows what is said.
	CGI   CGI
	Pages Pages
	User  string // whom it runs as; "" if nobody is named
}

// Routed are those that routes lead to.
func (c *Config) Routed() []NamedApp {
	return slices.DeleteFunc(slices.Clone(c.Apps), func(a NamedApp) bool { return a.InFolder })
}

// InFolder are those of which something is said that are in a folder of
// applications.
func (c *Config) InFolder() []NamedApp {
	return slices.DeleteFunc(slices.Clone(c.Apps), func(a NamedApp) bool { return !a.InFolder })
}

// forRouted is what an application that routes lead to has of what is said of all:
// not which one it is, nor what is of use in a folder of applications alone.
func (a App) forRouted() App {
	usual := Default().App
	a.App = usual.App
	a.Type, a.Start, a.Install = usual.Type, usual.Start, usual.Install
	a.Release, a.Processes = usual.Release, usual.Processes
	return a
}

// Site is what is served under some host names.
type Site struct {
	Hosts      []string // lower case; "*.example.org" for all below; nil: every host that no other site has
	Root       string   // absolute; "" if it has no files of its own
	Static     Static   // how files are served; Dir is not used
	ErrorPages []ErrorPage
	Headers    []HeaderRule
	Routes     []Route
}

// Route says what answers for a path of a site.
type Route struct {
	Path    Pattern
	Methods []string // nil: every method that no other route of that path takes
	Kind    RouteKind

	Folder      string // of KindStatic, KindCGI and KindPages: absolute; "" for the site's root
	App         string // of KindApp: the name
	Redirect    string // of KindRedirect: a path or a URL; see Target
	Respond     string // of KindRespond; may be empty
	Status      int    // of KindRedirect and KindRespond; 0: the usual one
	ContentType string // of KindRespond; "": plain text

	Static   Static
	TryFiles []string // of KindStatic: tried in this order where the path has no file; "*" stands for the path
	Fallback string   // of KindStatic: answers for what is no file and has no dot in its last part
	CGI      CGI      // of KindPages as well
	Pages    Pages

	ErrorPages []ErrorPage  // beside the site's
	Headers    []HeaderRule // likewise
}

// RouteKind is what answers. Each has its key in a route's table.
type RouteKind string

// The kinds of routes.
const (
	KindStatic   RouteKind = "static"
	KindCGI      RouteKind = "cgi"
	KindPages    RouteKind = "pages"
	KindApp      RouteKind = "app"
	KindRedirect RouteKind = "redirect"
	KindRespond  RouteKind = "respond"
)

// ErrorPage is the content of an answer of Gatehouse's own with a status.
type ErrorPage struct {
	Status int
	File   string // absolute
}

// HeaderRule changes a field of answers.
type HeaderRule struct {
	Name   string   // in its canonical form
	Values []string // a line each; none: the field is removed
}

// Pattern is which paths a route is for.
type Pattern struct {
	// Prefix is a path without a slash at its end, "" for the root.
	Prefix string
	// Exact means this path alone; otherwise it is a folder, with all in it.
	Exact bool
}

// String is the pattern as people write it.
func (p Pattern) String() string {
	if p.Exact && p.Prefix != "" {
		return p.Prefix
	}
	return p.Prefix + "/"
}

// Rest is what path has beyond the pattern's folder, with its slash.
func (p Pattern) Rest(path string) string {
	if p.Exact {
		return ""
	}
	return strings.TrimPrefix(path, p.Prefix)
}

// parsePattern reads "/about", "/docs/", "/docs/*" and "/".
func parsePattern(text string) (Pattern, error) {
	folder := false
	path := text
	if rest, ok := strings.CutSuffix(path, "/*"); ok {
		path, folder = rest, true
	} else if rest, ok := strings.CutSuffix(path, "/"); ok {
		path, folder = rest, true
	}
	switch {
	case !strings.HasPrefix(text, "/"):
		return Pattern{}, fmt.Errorf("%q does not begin with a slash", text)
	case strings.ContainsRune(path, '*'):
		return Pattern{}, fmt.Errorf("%q: a star stands for what is in a folder, such as in /docs/*, and nowhere else", text)
	case strings.ContainsAny(path, "?#"):
		return Pattern{}, fmt.Errorf("%q: routes are chosen by the path; write it without ? and #", text)
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Pattern{}, fmt.Errorf("%q holds a control character", text)
	case hasEscape(path):
		return Pattern{}, fmt.Errorf("%q: write the path as people read it, without %%-escapes", text)
	}
	for element := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if path != "" && element == "" || element == "." || element == ".." {
			return Pattern{}, fmt.Errorf("%q: a path has no empty parts, and none of dots alone", text)
		}
	}
	return Pattern{Prefix: path, Exact: !folder}, nil
}

// hasEscape reports whether s holds a percent sign with two hexadecimal digits.
func hasEscape(s string) bool {
	const hex = "0123456789abcdefABCDEF"
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && strings.IndexByte(hex, s[i+1]) >= 0 && strings.IndexByte(hex, s[i+2]) >= 0 {
			return true
		}
	}
	return false
}

// Takes reports whether the route is for requests with that method. GET brings
// HEAD with it (RFC 9110, section 9.3.2).
func (r *Route) Takes(method string) bool {
	for _, m := range r.Methods {
		if m == method || m == "GET" && method == "HEAD" {
			return true
		}
	}
	return len(r.Methods) == 0
}

// Target is where a redirect leads from a path: a star at the end of its target
// is replaced by what the route's path has a star for.
func (r *Route) Target(path string) string {
	if target, ok := strings.CutSuffix(r.Redirect, "*"); ok {
		return target + strings.TrimPrefix(r.Path.Rest(path), "/")
	}
	return r.Redirect
}

// checkFileName refuses what is no name of a file in a folder.
func checkFileName(name string) error {
	if strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
		return fmt.Errorf("%q is no name of a file", name)
	}
	return nil
}

// checkTry refuses what cannot be a file below a root.
func checkTry(name string) error {
	if name == "*" {
		return errors.New(`"*": the path's own file is tried first anyway; leave it out`)
	}
	if i := strings.IndexByte(name, '*'); i > 0 || strings.Count(name, "*") > 1 {
		return fmt.Errorf(`%q: a star stands for the path, at the beginning, such as in "*.html"`, name)
	}
	return checkBelow(strings.TrimPrefix(name, "*"))
}

// checkBelow refuses paths that lead out of a folder, or begin somewhere else.
func checkBelow(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return fmt.Errorf("%q holds a zero byte", name)
	}
	for element := range strings.SplitSeq(strings.TrimPrefix(name, "/"), "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("%q is no path of a file below the folder", name)
		}
	}
	return nil
}
