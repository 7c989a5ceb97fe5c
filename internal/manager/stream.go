package manager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// stream sends a page what has changed of it, as server-sent events (HTML living
// standard, section 9.2). It belongs to the goroutine of its request.
type stream struct {
	m       *Manager
	w       http.ResponseWriter
	page    string // apps, app or log
	app     webapps.ContextName
	sent    map[string]string // the parts as the page has them
	states  map[webapps.ContextName]string
	shown   []webapps.ContextName // the rows of the table
	after   uint64                // the last record of the log that the page has
	more    <-chan struct{}       // closed when there are more; nil where none are shown
	written bool                  // something, since the last beat
}

const (
	// beatTime is the time after which something is sent in any case, so that
	// clients that are gone are noticed.
	beatTime = 15 * time.Second
	// hurry is the least time between two looks, however much happens.
	hurry = 200 * time.Millisecond
)

func (m *Manager) events(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // HEAD would wait for ever
		w.Header().Set("Allow", http.MethodGet)
		m.refuse(w, http.StatusMethodNotAllowed, "This address does not take that method.", "")
		return
	}
	s, secret := m.session(r, false)
	q := r.URL.Query()
	st := &stream{m: m, w: w, page: q.Get("page"), sent: map[string]string{}, states: map[webapps.ContextName]string{}}
	var err error
	if st.page == "app" {
		st.app, err = webapps.ParseBase(q.Get("app"))
	}
	switch {
	case s == nil:
		// A status that is not 200 has the browser give up, and the script look why.
		m.refuse(w, http.StatusUnauthorized, "You are not logged in, or your session has ended.", "")
		return
	case err != nil || st.page != "apps" && st.page != "app" && st.page != "log":
		m.refuse(w, http.StatusNotFound, "There is no such page.", "")
		return
	}
	select {
	case m.streams <- struct{}{}:
		defer func() { <-m.streams }()
	default:
		w.Header().Set("Retry-After", "10")
		m.refuse(w, http.StatusServiceUnavailable, "Too many pages are updated already.", "Close some of them.")
		return
	}
	after := q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" { // it was connected before
		after = id
	}
	st.after, _ = strconv.ParseUint(after, 10, 64) // 0 if it is none: all that is kept
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between must not wait for more
	st.run(r, s, secret)
}

// run sends until the client leaves, the session ends or the Manager closes.
func (st *stream) run(r *http.Request, s *session, secret string) {
	var changed <-chan struct{}
	if st.page != "log" {
		var stop func()
		changed, stop = st.m.config.Apps.Subscribe()
		defer stop()
	}
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	beat := time.NewTicker(beatTime)
	defer beat.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		if !st.update() {
			return
		}
		// What happens together is told together.
		pause.Reset(hurry)
		select {
		case <-pause.C:
		case <-r.Context().Done():
			return
		case <-st.m.ctx.Done():
			return
		}
		select {
		case <-changed:
			st.m.look.forget()
		case <-st.more:
			if st.m.config.Book.Closed() {
				return // the server is ending
			}
		case <-tick.C:
			st.m.sessions.find(secret, false) // ends it if its time has come
		case <-beat.C:
			if !st.written && !st.write(": still here\n\n") {
				return
			}
			st.written = false
		case <-s.ended:
			st.write("event: end\ndata: session\n\n")
			return
		case <-r.Context().Done():
			return
		case <-st.m.ctx.Done():
			return
		}
	}
}

// update sends what has changed, and reports whether the client may still be
// there.
func (st *stream) update() bool {
	parts, ok := st.parts()
	if !ok {
		st.write("event: end\ndata: gone\n\n")
		return false
	}
	changed := map[string]string{}
	for id, html := range parts {
		if st.sent[id] != html {
			st.sent[id], changed[id] = html, html
		}
	}
	if len(changed) > 0 && !st.send("parts", changed) {
		return false
	}
	return st.records()
}

// parts are the parts of the page that change, by the identifiers of their
// elements; false if there is no such page any more.
func (st *stream) parts() (map[string]string, bool) {
	switch st.page {
	case "apps":
		p := st.m.appsPage()
		st.tell(p.Apps)
		parts := map[string]string{"totals": st.render("totals", p.Totals), "problems": st.render("problems", p.Problems), "slow": st.render("slow", p.Slow)}
		same := len(p.Apps) == len(st.shown)
		for i := range p.Apps {
			same = same && st.shown[i] == p.Apps[i].Name
		}
		if !same {
			st.shown = nil
			for _, a := range p.Apps {
				st.shown = append(st.shown, a.Name)
			}
			parts["table"] = st.render("table", p.Apps)
			// With it the page has all cells as they are now.
			for _, a := range p.Apps {
				st.sent["state-"+a.ID()], st.sent["numbers-"+a.ID()] = st.render("state", a), st.render("numbers", a)
			}
			return parts, true
		}
		for _, a := range p.Apps {
			parts["state-"+a.ID()], parts["numbers-"+a.ID()] = st.render("state", a), st.render("numbers", a)
		}
		return parts, true
	case "app":
		p := st.m.appPage(st.app)
		if p == nil {
			return nil, false
		}
		st.tell([]row{p.App})
		return map[string]string{
			"summary": st.render("summary", p.App), "failure": st.render("failure", p.App), "actions": st.render("actions", p.App),
			"charts": st.render("charts", p.App), "running": st.render("running", p.App), "workers": st.render("workers", p.App), "processes": st.render("processes", p.App),
			"slow": st.render("slow", p.Slow),
		}, true
	}
	return nil, true
}

// render makes one part.
func (st *stream) render(name string, data any) string {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		st.m.log.Error("cannot write a part of a page of the manager", "part", name, "error", err)
		return ""
	}
	return b.String()
}

// tell says in words which states have changed, for those who do not see it.
func (st *stream) tell(all []row) {
	for _, a := range all {
		before, known := st.states[a.Name]
		now := a.Now()
		st.states[a.Name] = now
		if known && before != now {
			st.send("say", a.Name.String()+" is "+now)
		}
	}
}

// records sends what is new in the log.
func (st *stream) records() bool {
	app := logbook.All
	switch st.page {
	case "apps":
		return true
	case "app":
		app = st.m.config.LogName(st.app)
	}
	records, last, _, more := st.m.config.Book.After(app, st.after, recordsShown)
	if last < st.after { // the server has been started anew
		records, last, _, more = st.m.config.Book.After(app, 0, recordsShown)
	}
	st.after, st.more = last, more
	if len(records) == 0 {
		return true
	}
	return st.send("log", st.render("records", records))
}

// send sends an event whose data is JSON, which has no line ends.
func (st *stream) send(event string, data any) bool {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // texts and maps of texts
	}
	return st.write(fmt.Sprintf("event: %s\nid: %d\ndata: %s\n\n", event, st.after, text))
}

// write reports whether the client may still be there.
func (st *stream) write(text string) bool {
	if _, err := st.w.Write([]byte(text)); err != nil {
		return false
	}
	st.written = true
	return http.NewResponseController(st.w).Flush() == nil
}
