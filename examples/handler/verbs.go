package main

import (
	"log"
	"net/http"
	"slices"
	"strings"
)

// What Verbs looks for in a handler.
type (
	getter interface {
		Get(w http.ResponseWriter, r *http.Request) error
	}
	poster interface {
		Post(w http.ResponseWriter, r *http.Request) error
	}
	putter interface {
		Put(w http.ResponseWriter, r *http.Request) error
	}
	deleter interface {
		Delete(w http.ResponseWriter, r *http.Request) error
	}
)

// verbs answers requests by the method that is named after their verb. It holds
// those that a handler has.
type verbs map[string]func(w http.ResponseWriter, r *http.Request) error

// Verbs is an http.Handler that calls h.Get, h.Post, h.Put and h.Delete, those
// of them that h has. They take what ServeHTTP takes, and return an error, before
// they have written anything, to have it logged and answered with 500. HEAD is
// answered by Get, the body of which the server leaves out. Any other verb gets
// 405.
func Verbs(h any) http.Handler {
	v := verbs{}
	if h, ok := h.(getter); ok {
		v[http.MethodGet], v[http.MethodHead] = h.Get, h.Get
	}
	if h, ok := h.(poster); ok {
		v[http.MethodPost] = h.Post
	}
	if h, ok := h.(putter); ok {
		v[http.MethodPut] = h.Put
	}
	if h, ok := h.(deleter); ok {
		v[http.MethodDelete] = h.Delete
	}
	return v
}

// ServeHTTP implements http.Handler.
func (v verbs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if answer, ok := v[r.Method]; ok {
		if err := answer(w, r); err != nil {
			log.Printf("%s %q: %v", r.Method, r.URL.Path, err)
			refuse(w, http.StatusInternalServerError)
		}
		return
	}
	w.Header().Set("Allow", v.allow())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, http.StatusMethodNotAllowed)
}

// refuse answers with what a status means.
func refuse(w http.ResponseWriter, status int) {
	http.Error(w, http.StatusText(status), status)
}

// allow is the value of the Allow field.
func (v verbs) allow() string {
	all := []string{http.MethodOptions}
	for verb := range v {
		all = append(all, verb)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
