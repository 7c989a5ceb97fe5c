package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/spelling"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Handler answers the API. Made by New.
type Handler struct {
	backend Backend
	book    *logbook.Book
	log     *slog.Logger
	mux     *http.ServeMux
}

// New returns the API of a server. book is what its log has written down; closing
// it ends the answers that follow the log. log gets a record of each change that is
// asked for.
func New(b Backend, book *logbook.Book, log *slog.Logger) *Handler {
	h := &Handler{backend: b, book: book, log: log, mux: http.NewServeMux()}
	h.get("status", h.server)
	h.get("apps", func(r *http.Request) (any, error) { return h.apps(r) })
	h.get("workers", h.workers)
	h.get("stacks", h.stacks)
	h.mux.HandleFunc("GET "+Base+"logs", h.logs)
	h.post("deploy", h.deploy)
	h.post("undeploy", h.one(Manager.Undeploy))
	h.post("start", h.one(Manager.Start))
	h.post("stop", h.one(Manager.Stop))
	h.post("rollback", h.one(Manager.Rollback))
	h.post("retire", h.retire)
	h.post("reload", h.reload)
	h.mux.HandleFunc("POST "+Base+"manager-link", h.link)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, &Error{Code: Usage, Message: fmt.Sprintf("there is no %s %s here; this server speaks %s", r.Method, r.URL.Path, Base)})
	})
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

// get answers with what a function returns.
func (h *Handler) get(name string, answer func(*http.Request) (any, error)) {
	h.mux.HandleFunc("GET "+Base+name, func(w http.ResponseWriter, r *http.Request) {
		v, err := answer(r)
		if err != nil {
			e := newError(err)
			refuse(w, e.status(), e)
			return
		}
		send(w, http.StatusOK, v)
	})
}

// refuse answers that something cannot be done.
func refuse(w http.ResponseWriter, status int, e *Error) { send(w, status, Failed{e}) }

func send(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is sent are our own types, all of which can be
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that has left wants nothing
}

func (h *Handler) server(*http.Request) (any, error) {
	s := h.backend.Server()
	s.Apps = map[string]int{}
	apps := h.backend.Apps()
	s.Warnings = warnings(apps)
	for _, a := range apps {
		s.Apps[a.State.String()]++
		if a.Routed {
			s.Routed++
		}
		for i := range a.Processes {
			if s.Processes == nil {
				s.Processes = map[string]int{}
			}
			s.Processes[string(a.Processes[i].State())]++
		}
	}
	for _, p := range h.backend.Problems() {
		s.Problems = append(s.Problems, Problem{Entry: p.Entry, Error: p.Err.Error()})
	}
	return s, nil
}

// link answers with a secret, of which the log holds nothing.
func (h *Handler) link(w http.ResponseWriter, _ *http.Request) {
	url, err := h.backend.Link()
	if err != nil {
		e := newError(err)
		refuse(w, e.status(), e)
		return
	}
	send(w, http.StatusOK, Link{url})
}

// apps are all, or the one that is asked for.
func (h *Handler) apps(r *http.Request) ([]App, error) {
	all := h.backend.Apps()
	if asked := r.URL.Query().Get("app"); asked != "" {
		s, err := h.find(all, asked)
		if err != nil {
			return nil, err
		}
		all = []webapps.Status{*s}
	}
	told := make([]App, 0, len(all))
	for i := range all {
		told = append(told, h.describe(&all[i]))
	}
	return told, nil
}

func (h *Handler) workers(r *http.Request) (any, error) {
	apps, err := h.apps(r)
	all := []AppWorker{}
	for _, a := range apps {
		for _, w := range a.Workers {
			all = append(all, AppWorker{a.Name, w})
		}
	}
	return all, err
}

func (h *Handler) stacks(r *http.Request) (any, error) {
	s, err := h.asked(r)
	if err != nil {
		return nil, err
	}
	all, err := h.backend.Stacks(r.Context(), s.Name)
	return stacks(all), err
}

// asked is the application that a request names.
func (h *Handler) asked(r *http.Request) (*webapps.Status, error) {
	name := r.URL.Query().Get("app")
	if name == "" {
		return nil, &Error{Code: Usage, Message: "which application? app=/shop names one"}
	}
	return h.find(h.backend.Apps(), name)
}

// find is the application of that name among all. One that has a single version
// needs no version to be named.
func (h *Handler) find(all []webapps.Status, asked string) (*webapps.Status, error) {
	name, err := webapps.ParseName(asked)
	if err != nil {
		return nil, &Error{Code: Usage, Message: err.Error()}
	}
	var same []*webapps.Status
	var names []string
	for i := range all {
		s := &all[i]
		if s.Name == name {
			return s, nil
		}
		if s.Name.Path() == name.Path() && name.Version() == "" {
			same = append(same, s)
		}
		names = append(names, s.Name.String())
	}
	switch len(same) {
	case 0:
		e := &Error{Code: NoApp, Message: fmt.Sprintf("there is no application %v", name), Hint: "gatehouse apps lists those that there are"}
		if near := spelling.Nearest(name.String(), names); near != "" {
			e.Message += fmt.Sprintf("; did you mean %s?", near)
		}
		return nil, e
	case 1:
		return same[0], nil
	}
	versions := make([]string, len(same))
	for i, s := range same {
		versions[i] = s.Name.String()
	}
	return nil, &Error{Code: Ambiguous, Message: fmt.Sprintf("there are several versions of %v: %s", name, strings.Join(versions, ", ")), Hint: "name one of them"}
}

// Bounds of how many records of the log are told at once.
const (
	defaultLast = 100
	maxLast     = 100_000 // more than are kept
)

// logs answers with records of the log, one each line, and with what follows them
// if that is asked for.
func (h *Handler) logs(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	app := logbook.All
	if q.Get("app") != "" {
		name, err := h.logged(r)
		if err != nil {
			e := newError(err)
			refuse(w, e.status(), e)
			return
		}
		app = name
	}
	last, err := strconv.Atoi(cmp.Or(q.Get("last"), strconv.Itoa(defaultLast)))
	if err != nil || last < 0 || last > maxLast {
		e := &Error{Code: Usage, Message: fmt.Sprintf("last=%s is no number of records from 0 to %d", q.Get("last"), maxLast)}
		refuse(w, e.status(), e)
		return
	}
	lines := newLines(w)
	records, number, _, more := h.book.After(app, 0, last)
	lost := false // what came before those that were asked for is not missed
	for {
		for _, record := range records {
			lines.send(LogLine{record, lost})
			lost = false
		}
		if lines.flush() != nil || q.Get("follow") == "" || h.book.Closed() {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
		records, number, lost, more = h.book.After(app, number, maxLast)
	}
}

// logged is the name of the application whose log is asked for. One that is not
// there any more, or has never come to be, may have left some.
func (h *Handler) logged(r *http.Request) (string, error) {
	s, err := h.asked(r)
	if err == nil {
		return h.backend.LogName(s.Name), nil
	}
	name, wrong := webapps.ParseName(r.URL.Query().Get("app"))
	if wrong == nil {
		known := h.backend.LogName(name)
		if records, _, _, _ := h.book.After(known, 0, 1); len(records) > 0 && known != logbook.All {
			return known, nil
		}
	}
	return "", err
}

// lines is an answer of JSON texts, one each line.
type lines struct {
	w       http.ResponseWriter
	control *http.ResponseController
	encoder *json.Encoder
}

func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &lines{w, http.NewResponseController(w), json.NewEncoder(w)}
}

// send writes a line. That the client has left is told by flush.
func (l *lines) send(v any) { _ = l.encoder.Encode(v) }

func (l *lines) flush() error { return l.control.Flush() }
