package manager

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

//go:embed assets
var assets embed.FS

// templates are the pages and the parts of them that are updated.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions()).ParseFS(assets, "assets/*.html"))
})

// asset is a file that pages use.
type asset struct {
	data []byte
	hash string // of data
}

// public are these files, by name.
var public = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	for _, name := range []string{"style.css", "script.js", "icon.svg"} {
		data, err := fs.ReadFile(assets, "assets/"+name)
		if err != nil {
			panic(err) // they are in the binary
		}
		sum := sha256.Sum256(data)
		all[name] = asset{data, hex.EncodeToString(sum[:8])}
	}
	return all
})

// assetURL is where a file is; another version of it is elsewhere.
func assetURL(name string) string { return "/assets/" + name + "?" + public()[name].hash }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := public()[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(r.PathValue("file"))])
	h.Set("Content-Length", strconv.Itoa(len(a.data)))
	if r.URL.RawQuery == a.hash {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.data) // a client that left is no error of ours
	}
}

// frame is what all pages have.
type frame struct {
	Title  string
	Here   string // the part of the navigation; "" for somebody who is not inside
	Stream string // the address of its updates; "" for none
	Done   string // what has just been done; may be empty
	Wrong  *trouble
}

// trouble is what went wrong, where one sees it.
type trouble struct {
	What   string
	ToDo   string   // may be empty
	Detail string   // such as a traceback; may be empty
	Files  []string // that a deployment would throw away
}

// show writes a page.
func (m *Manager) show(w http.ResponseWriter, status int, name string, page any) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, page); err != nil {
		m.log.Error("cannot write a page of the manager", "page", name, "error", err)
		http.Error(w, "This page cannot be shown. The log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left is no error of ours; HEAD is the server's
}

// refuse says that something was not done, on a page of its own.
func (m *Manager) refuse(w http.ResponseWriter, status int, what, toDo string) {
	m.show(w, status, "refused", &frame{Title: http.StatusText(status), Wrong: &trouble{What: what, ToDo: toDo}})
}

// appsPage is the page of all applications.
type appsPage struct {
	frame
	Apps     []row
	Totals   totals
	Problems []webapps.Problem
	Slow     []logbook.Record
	Limit    int64 // of an upload, in bytes
	Form     deployForm
}

// deployForm is what stands in the form.
type deployForm struct{ Path, Version string }

// slowShown is how many slow requests the page of all applications shows.
const slowShown = 5

func (m *Manager) appsPage() *appsPage {
	p := &appsPage{
		frame: frame{Title: "Applications", Here: "apps", Stream: "/events?page=apps"},
		Apps:  m.apps(), Problems: m.config.Apps.Problems(), Limit: m.config.MaxUpload,
	}
	p.Totals = sum(p.Apps)
	p.Slow = m.slow.of("", slowShown)
	return p
}

func (m *Manager) showApps(w http.ResponseWriter, r *http.Request) {
	p := m.appsPage()
	p.Done = done(r.URL.Query().Get("done"))
	m.show(w, http.StatusOK, "apps", p)
}

// appPage is the page of one application.
type appPage struct {
	frame
	App     row
	Slow    []logbook.Record
	Records []logbook.Record
	Last    uint64 // the newest record
}

// recordsShown is how many records of the log a page shows.
const recordsShown = 200

// appPage returns nil where there is no application of that name.
func (m *Manager) appPage(name webapps.ContextName) *appPage {
	app, ok := find(m.apps(), name)
	if !ok {
		return nil
	}
	p := &appPage{App: app, Slow: m.slow.of(m.config.LogName(name), keptSlow)}
	p.Title, p.Here = name.String(), "apps"
	p.Records, p.Last, _, _ = m.config.Book.After(m.config.LogName(name), 0, recordsShown)
	p.Stream = "/events?page=app&app=" + template.URLQueryEscaper(name.Base()) + "&after=" + strconv.FormatUint(p.Last, 10)
	return p
}

// named is the application that an address names.
func named(r *http.Request) (webapps.ContextName, bool) {
	name, err := webapps.ParseBase(r.PathValue("name"))
	return name, err == nil
}

func (m *Manager) showApp(w http.ResponseWriter, r *http.Request) {
	name, ok := named(r)
	var p *appPage
	if ok {
		p = m.appPage(name)
	}
	if p == nil {
		m.refuseApp(w)
		return
	}
	p.Done = done(r.URL.Query().Get("done"))
	m.show(w, http.StatusOK, "app", p)
}

func (m *Manager) refuseApp(w http.ResponseWriter) {
	m.refuse(w, http.StatusNotFound, "There is no such application.", "It may have been undeployed.")
}

// stacksPage is what the workers of an application are doing.
type stacksPage struct {
	frame
	App     row
	Workers []pyapp.WorkerStacks
	Time    time.Time
}

func (m *Manager) showStacks(w http.ResponseWriter, r *http.Request) {
	name, ok := named(r)
	app, there := find(m.apps(), name)
	if !ok || !there {
		m.refuseApp(w)
		return
	}
	workers, err := m.config.Apps.Stacks(r.Context(), name)
	if err != nil {
		m.refuseApp(w)
		return
	}
	m.show(w, http.StatusOK, "stacks", &stacksPage{frame{Title: "Stacks of " + name.String(), Here: "apps"}, app, workers, time.Now()})
}

// logPage is the page of the log.
type logPage struct {
	frame
	Records []logbook.Record
	Last    uint64
}

func (m *Manager) showLog(w http.ResponseWriter, _ *http.Request) {
	p := &logPage{frame: frame{Title: "Log", Here: "log"}}
	p.Records, p.Last, _, _ = m.config.Book.After(logbook.All, 0, recordsShown)
	p.Stream = "/events?page=log&after=" + strconv.FormatUint(p.Last, 10)
	m.show(w, http.StatusOK, "log", p)
}

// done says what an address tells to have been done. Nothing of what is in the
// address gets into the page.
func done(what string) string {
	return map[string]string{
		"deploy": "Deployed.", "start": "Started.", "stop": "Stopped. Visitors get 503 until it is started again.",
		"reload": "Reloaded.", "rollback": "Rolled back.", "undeploy": "Undeployed. Its data is kept.",
		"retire": "Retired: new visitors get the newer version.",
	}[cmp.Or(what, "-")]
}
