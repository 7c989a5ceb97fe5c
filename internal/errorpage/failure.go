package errorpage

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Failure is what a developer is shown of an application's failure.
type Failure struct {
	// What failed, one sentence, and what the reader should know of this page.
	What, Note string
	// Summary is the exception, or whatever else went wrong, in one line. It may
	// begin with the place, as file:line: and a blank.
	Summary string
	// Traceback is Python's, several lines; "" if there is none.
	Traceback string
	// Dir is the folder of the application's own code.
	Dir string
	// Retry is after how many seconds a page that was asked for with GET asks
	// again by itself; 0 means never.
	Retry int
}

// WriteFailure answers r with status 500 and everything that is known of the
// failure: source text, paths, what messages hold. The caller has made sure that
// a developer asks, and has not written anything yet. Clients that accept
// text/html get a page, others get plain text.
func WriteFailure(w http.ResponseWriter, r *http.Request, f Failure) {
	id := requestid.Of(w)
	if !wantsHTML(r) {
		send(w, r, http.StatusInternalServerError, plainText, f.text(id))
		return
	}
	v := f.view()
	v.Status, v.Method, v.Path, v.ID = statusLine(http.StatusInternalServerError), r.Method, r.URL.Path, id
	if r.Method != http.MethodGet {
		v.Retry = 0 // nothing is sent twice
	}
	var b strings.Builder
	if err := failurePage.Execute(&b, v); err != nil {
		panic(err) // neither the template nor a strings.Builder fails
	}
	h := w.Header()
	// What the application put into its message is text. Should it be anything
	// else after all: nothing runs, nothing is fetched, nobody frames it, and no
	// other site gets to hold it.
	h.Set("Content-Security-Policy", failurePolicy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	send(w, r, http.StatusInternalServerError, htmlText, b.String())
}

// text is the failure for a terminal.
func (f *Failure) text(id string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", statusLine(http.StatusInternalServerError), f.What)
	if f.Traceback != "" {
		fmt.Fprintf(&b, "%s\n\n", strings.TrimRight(f.Traceback, "\n"))
	}
	fmt.Fprintf(&b, "%s\n\n%s\nRequest %s\n", f.Summary, f.Note, id)
	return b.String()
}

// view is what the template shows.
type view struct {
	Failure
	Status, Method, Path, ID string

	Kind, Message string // the heading: an exception's type, and what it says
	Culprit       *row
	Raised        []section
}

// section is one exception with its calls.
type section struct {
	raised
	Groups []group
}

// group is a run of calls in the application's own code or in that of others.
type group struct {
	Own  bool
	Open bool
	Rows []row
	From string // the packages of others
}

// row is a frame as it is shown.
type row struct {
	frame
	Short string
}

func (f *Failure) view() *view {
	all := parse(f.Traceback, f.Dir)
	v := &view{Failure: *f, Message: f.Summary}
	c := culprit(all)
	if place, message, ok := cutPlace(f.Summary); ok {
		v.Message = message
		if c == nil {
			c = &place
		}
	}
	if c != nil {
		v.Culprit = &row{*c, shortFile(c.File, f.Dir)}
	}
	if len(all) > 0 && all[len(all)-1].Exception != "" {
		v.Message = all[len(all)-1].Exception
	}
	if kind, message, ok := strings.Cut(v.Message, ": "); ok && !strings.ContainsAny(kind, " /\n") {
		v.Kind, v.Message = kind, message
	}
	if len(all) == 1 && len(all[0].Frames) < 2 {
		return v // it is all above
	}
	for _, r := range all {
		if len(all) == 1 {
			r.Exception = "" // it is the heading
		}
		v.Raised = append(v.Raised, section{r, groups(r.Frames, f.Dir)})
	}
	return v
}

// cutPlace takes a place off the beginning of a summary.
func cutPlace(summary string) (place frame, rest string, ok bool) {
	found := placePrefix.FindStringSubmatch(summary)
	if found == nil {
		return frame{}, summary, false
	}
	line, err := strconv.Atoi(found[2])
	return frame{File: found[1], Line: line}, found[3], err == nil
}

// placePrefix is a place before what is said of it: the shortest one, because
// the rest may hold anything.
var placePrefix = regexp.MustCompile(`(?s)^([^\s:]*[/.][^:]*?):(\d+): (.+)$`)

// groups puts calls together that are to be read, or to be passed over, in one
// go. Where none is the application's own, all are to be read.
func groups(frames []frame, dir string) []group {
	open := !slices.ContainsFunc(frames, func(f frame) bool { return f.Own })
	var all []group
	for _, f := range frames {
		if len(all) == 0 || all[len(all)-1].Own != f.Own {
			all = append(all, group{Own: f.Own, Open: open})
		}
		g := &all[len(all)-1]
		g.Rows = append(g.Rows, row{f, shortFile(f.File, dir)})
		if from := origin(f.File); !f.Own && !slices.Contains(strings.Split(g.From, ", "), from) {
			g.From = strings.TrimPrefix(g.From+", "+from, ", ")
		}
	}
	return all
}

var failurePage = template.Must(template.New("failure").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{{- if .Retry}}
<meta http-equiv="refresh" content="{{.Retry}}">
{{- end}}
<title>{{with .Kind}}{{.}}: {{end}}{{.Message}}</title>
<style>` + failureStyle + `</style>
</head>
<body>
<header>
<p class="what">{{.What}}</p>
<h1>{{with .Kind}}<span class="kind">{{.}}</span> {{end}}<span class="message">{{.Message}}</span></h1>
{{- with .Culprit}}
<section class="culprit">
<p class="place"><b>{{.Short}}</b>:{{.Line}}{{with .Name}} <span class="in">in {{.}}</span>{{end}}</p>
{{- if .Code}}
{{template "code" .Code}}
{{- end}}
</section>
{{- end}}
</header>
<main>
{{- range .Raised}}
{{- with .Link}}
<p class="link">{{.}}</p>
{{- end}}
{{- if .Groups}}
<h2>Traceback <small>most recent call last</small></h2>
{{- end}}
{{- range .Groups}}
{{- if .Own}}
<ol class="own">{{template "rows" .Rows}}</ol>
{{- else}}
<details{{if .Open}} open{{end}}><summary>{{len .Rows}} {{if eq 1 (len .Rows)}}call{{else}}calls{{end}} in {{.From}}</summary>
<ol>{{template "rows" .Rows}}</ol>
</details>
{{- end}}
{{- end}}
{{- with .Exception}}
<p class="exception">{{.}}</p>
{{- end}}
{{- end}}
{{- with .Traceback}}
<details class="raw"><summary>As text</summary>
<pre>{{.}}</pre>
</details>
{{- end}}
</main>
<footer>
<dl>
<div><dt>Answer</dt><dd>{{.Status}}</dd></div>
<div><dt>Request</dt><dd>{{.Method}} {{.Path}}</dd></div>
<div><dt>Identifier</dt><dd>{{.ID}}</dd></div>
</dl>
<p>{{.Note}}</p>
</footer>
</body>
</html>
{{- define "rows"}}
{{- range .}}
<li><p class="place"><b>{{.Short}}</b>:{{.Line}}{{with .Name}} <span class="in">in {{.}}</span>{{end}}</p>
{{- if .Code}}
{{template "code" .Code}}
{{- end}}
{{- with .Note}}
<p class="note">{{.}}</p>
{{- end}}
</li>
{{- end}}
{{- end}}
{{- define "code"}}<pre><code>{{range .}}{{if .Marked}}<mark>{{.Text}}</mark>{{else}}{{.Text}}{{end}}{{end}}</code></pre>{{end}}
`))

// failurePolicy allows the page's own style and nothing else.
var failurePolicy = func() string {
	sum := sha256.Sum256([]byte(failureStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// failureStyle must reach the browser as it stands here: the policy holds its
// hash. It has no comments, because html/template would take them out.
const failureStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #23211f; --soft: #6d6862; --line: #e6e2dc; --red: #a8321f; --mark: #fbdcd3;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #1a1918; --card: #232120; --ink: #e9e5e0; --soft: #a19a92; --line: #383532; --red: #f0907c; --mark: #5c2a20; }
}
* { box-sizing: border-box; margin: 0 }
body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 2rem; overflow-wrap: anywhere }
.what { color: var(--soft); margin-bottom: .75rem }
h1 { font-size: 1.5rem; line-height: 1.3; font-weight: 600 }
.kind { color: var(--red); display: block }
.message { white-space: pre-wrap }
h2 { font-size: 1rem; font-weight: 600; margin: 2.25rem 0 .75rem }
small { color: var(--soft); font-size: .875rem; font-weight: 400 }
pre { font: .875rem/1.6 var(--mono); overflow-x: auto; overflow-wrap: normal; tab-size: 4 }
mark { background: var(--mark); color: inherit; border-radius: .2em; padding: .1em 0 }
.place { font: .875rem/1.5 var(--mono); color: var(--soft) }
.place b { color: var(--ink); font-weight: 600 }
.culprit { background: var(--card); border: 1px solid var(--line); border-left: 3px solid var(--red); border-radius: .5rem; padding: .9rem 1.1rem; margin-top: 1.5rem }
.culprit pre { font-size: 1rem; margin-top: .4rem }
ol { list-style: none; padding: 0 }
li { padding: .6rem 1.1rem }
li + li { border-top: 1px solid var(--line) }
li pre { margin-top: .15rem }
.own { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0 }
details { margin: .5rem 0 }
summary { color: var(--soft); cursor: pointer; font-size: .875rem; padding: .25rem 0 }
details li, details .place b { color: var(--soft); font-weight: 400 }
details li { padding: .35rem 1.1rem; border: 0 }
.note { color: var(--soft); font-size: .875rem }
.exception { font: 600 .875rem/1.6 var(--mono); white-space: pre-wrap; margin: .75rem 0 0 }
.link { color: var(--soft); border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1.25rem }
.raw { margin-top: 2rem }
.raw pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1.1rem; margin-top: .5rem }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; margin-top: 2rem; padding-top: 1.25rem }
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin-bottom: .75rem }
dl div { display: flex; gap: .6rem }
dd { color: var(--ink); font-family: var(--mono) }
@media (max-width: 40rem) {
  body { padding: 1.5rem 1rem }
  h1 { font-size: 1.25rem }
  .culprit, li, details li, .raw pre { padding-left: .8rem; padding-right: .8rem }
  .culprit pre { font-size: .875rem }
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
}
`
