package config

import (
	"fmt"
	"strings"
)

// FileReference is docs/reference/configuration.md.
func FileReference() string {
	var b strings.Builder
	b.WriteString(filePreamble)
	table, first := "", true
	for _, p := range everyPlace() {
		if p.table == appsTable && (p.Group == Applications || p.HowScripts()) {
			continue // see its introduction
		}
		if first || p.table != table {
			table, first = p.table, false
			fmt.Fprintf(&b, "\n## %s\n%s| key | takes | default | meaning | a new value takes effect |\n|---|---|---|---|---|\n", tableTitle(table), tableNote(table))
		}
		v := p.within(usualHolder())
		def := p.Default()
		if p.Fixed == "" && def != "none" {
			def = "`" + tomlOf(v) + "`"
		}
		when := "with a reload"
		if !p.Reloads() {
			when = "with a restart"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", p.Key(), cell(takes(v)), cell(def), cell(p.What), when)
	}
	b.WriteString(fileNotes)
	return b.String()
}

// usualHolder is one of everything, as it is where nothing is said.
func usualHolder() *holder {
	c := Default()
	c.Static = siteStatic()
	return &holder{config: &c, app: &NamedApp{}, site: &Site{}, route: &Route{}}
}

// tableTitle is how a table is written in a file.
func tableTitle(table string) string {
	switch table {
	case "":
		return "Above all tables"
	case appsTable:
		return "`[apps.NAME]`"
	case sitesTable, routesTable:
		return "`[[" + table + "]]`"
	}
	return "`[" + table + "]`"
}

// tableNote introduces a table.
func tableNote(table string) string {
	switch table {
	case appsTable:
		return "An application that routes lead to by its name. It takes `python` and all keys of `[app]` as well, and has their values from there where it\n" +
			"does not say otherwise. `[apps.NAME.env]` is as `[app.env]`. Without `[[sites]]`, or beside a folder of applications if no route leads to it and\n" +
			"it has no `dir`, it is one in that folder, by the name of its entry, quoted where it has a `#`; what stands here then overrides what the\n" +
			"application says itself, `user` is for it alone, and `dir` and `mount` are an error.\n\n"
	case "webapps":
		return "The folder of applications: [the guide](../guide/webapps.md) tells what it is. Beside `[[sites]]` it is one of them.\n\n"
	case sitesTable:
		return "What is served under some host names: [the guide](../guide/configuration.md) tells how. Beside its keys it has `[[sites.routes]]`.\n\n"
	case routesTable:
		return "What answers for a path of the site above it. One of " + "`" + strings.ReplaceAll(kindKeys(), ", ", "`, `") + "` says what that is; without, the site's own files\n" +
			"do. What a route does not say of files is as its site has it.\n\n"
	}
	return ""
}

// takes describes a value in a file for the reference.
func takes(v Value) string {
	if c, ok := v.(choiceValue); ok {
		words := make([]string, len(c.words))
		for i, w := range c.words {
			words[i] = "`" + tomlText(w) + "`"
		}
		return strings.Join(words, " or ")
	}
	if c, ok := v.(countValue); ok && c.zero != "" {
		return "a number, or `" + tomlText(c.zero) + "`"
	}
	return strings.Replace(expected(v), " in quotes", "", 1)
}

const filePreamble = "# The configuration file\n\n" +
	"This page is written by the program (`go generate ./cmd/gatehouse`) and tested to be current.\n\n" +
	"`gatehouse run` and `gatehouse check` read `gatehouse.toml` in the project's folder, or, in the same form, the table\n" +
	"`[tool.gatehouse]` of its `pyproject.toml` (`[app]` is `[tool.gatehouse.app]` there); both at once are an error. `--config FILE` names\n" +
	"another file; then neither is looked for. `gatehouse DIR` reads none. Nothing has to stand in it, and no file is needed:\n" +
	"`gatehouse run --explain` prints one that says what was found.\n" +
	"```toml\n" + fileExample + "```\n" +
	"A key is the flag of the same name with underscores (in `[manager]` without the table's name). Flags win over the file, the file wins over the defaults. Times and sizes are texts\n" +
	"with a unit (`\"30s\"`, `\"2m\"`, `\"off\"`; `\"8KB\"`, `\"16MB\"`, powers of 1024). Relative paths start from the folder that the file lies in.\n" +
	"Whatever is not in the tables below, or not of the right type, is an error that names file, line and column.\n\n" +
	"SIGHUP reads the file again. If it is in order, what has changed is made anew beside the old, requests go there, and the old finishes what\n" +
	"it has. If not, the log says why and nothing changes. Values that need a restart are named.\n\n" +
	"For editors there is a [JSON Schema](gatehouse.schema.json).\n"

const fileExample = `listen = ["127.0.0.1:8000"]

[app]
app = "shop.wsgi:application"
workers = 4
timeout = "30s"

[app.env]
DJANGO_SETTINGS_MODULE = "shop.settings.live"
DATABASE_PASSWORD = { file = "/run/secrets/shop-database" }
API_KEY = { env = "SHOP_API_KEY" }

[log]
log_format = "json"
`

const fileNotes = "\n## `[app.env]`\n" +
	"Variables of the application's environment, beside those that the server has.\n\n" +
	"| value | what the application gets |\n|---|---|\n" +
	"| `NAME = \"text\"` | the text |\n" +
	"| `NAME = { file = \"PATH\" }` | the content of the file, without the line end behind it; read with the application's rights, again with each reload |\n" +
	"| `NAME = { env = \"OTHER\" }` | the server's variable OTHER, which must be there |\n\n" +
	"## Started by root\n" +
	"`listen`, `user` (an application's as well) and `access_log` take effect with root's rights. Root takes them only from a file that belongs to root, as its folder does,\n" +
	"where nobody else can write either; from a file that `--config` names; or from flags.\n\n" +
	"## Which `python`\n" +
	"In `gatehouse.toml` it counts like the flag. In `pyproject.toml` it is the project's wish: an active or a present virtual environment\n" +
	"(`VIRTUAL_ENV`, `.venv`, `venv`) comes first.\n"
