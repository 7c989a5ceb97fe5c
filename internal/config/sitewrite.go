package config

import (
	"fmt"
	"reflect"
)

// siteLines are the applications and sites as a file has them. A table that a
// file may have several times ends in a number sign, which Format leaves out.
func (c *Config) siteLines(why func(name string) string) []Line {
	var lines []Line
	for i := range c.Apps {
		app, std := &c.Apps[i], Default()
		table, path := "apps."+tomlKey(app.Name), "apps."+app.Name
		has := &holder{config: &Config{App: app.App, CGI: app.CGI, Pages: app.Pages}, app: app}
		if app.InFolder {
			// It stands above what the application's own file says, so a default
			// that it names is not the same as none.
			usual := &holder{config: &Config{App: std.App, CGI: std.CGI, Pages: std.Pages}, app: &NamedApp{}}
			said := placeLines(appsTable, table, path, why, has, usual, func(name string) bool { return why(name) != "" })
			if len(said) == 0 {
				said = []Line{{Table: table}}
			}
			lines = append(lines, said...)
			continue
		}
		usual := &holder{config: &Config{App: c.App.forRouted()}, app: &NamedApp{}}
		lines = append(lines, placeLines(appsTable, table, path, why, has, usual, unlessUsual)...)
	}
	for i := range c.Sites {
		site := &c.Sites[i]
		table := fmt.Sprintf("sites#%d", i)
		lines = append(lines, Line{Table: table})
		usual := siteStatic()
		lines = append(lines, placeLines(sitesTable, table, SiteName(i), why,
			&holder{config: &Config{Static: site.Static}, site: site}, &holder{config: &Config{Static: usual}, site: &Site{}}, unlessUsual)...)
		for j := range site.Routes {
			route := &site.Routes[j]
			table := fmt.Sprintf("sites.routes#%d.%d", i, j)
			lines = append(lines, Line{Table: table})
			lines = append(lines, placeLines(routesTable, table, RouteName(i, j), why,
				&holder{config: &Config{Static: route.Static, CGI: route.CGI, Pages: route.Pages}, route: route},
				&holder{config: &Config{Static: site.Static, CGI: Default().CGI, Pages: Default().Pages}, route: &Route{Kind: route.Kind}}, unlessUsual)...)
		}
	}
	return lines
}

// tomlKey is a name as a part of a key.
func tomlKey(name string) string {
	if isAppName(name) {
		return name
	}
	return tomlText(name)
}

// unlessUsual has settings written that differ from the usual, and only those.
func unlessUsual(string) bool { return false }

// placeLines are the settings of one table that differ from the usual or that
// always reports, its own tables behind it.
func placeLines(place, table, path string, why func(string) string, has, usual *holder, always func(name string) bool) []Line {
	var lines, inner []Line
	for _, p := range everyPlace() {
		v, u := p.within(has), p.within(usual)
		if p.table != place || !p.Required && alike(v, u) && !always(path+"."+p.Key()) {
			continue
		}
		if has.route != nil && p.Kind != "" && p.Kind != has.route.Kind {
			continue
		}
		t, isTable := v.(tabled)
		if !isTable {
			lines = append(lines, Line{Table: table, Key: p.Key(), Value: tomlOf(v), Why: why(path + "." + p.Key())})
			continue
		}
		for _, line := range t.tableLines() {
			line.Table, line.Why = innerTable(table, p.Key()), why(path+"."+p.Key())
			inner = append(inner, line)
		}
	}
	return append(lines, inner...)
}

// alike reports whether two values of a setting are the same in a file.
func alike(a, b Value) bool {
	if _, isTable := a.(tabled); isTable {
		return reflect.DeepEqual(a, b)
	}
	return a.String() == b.String()
}
