package main

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
)

// maxForm is the longest form that mirror takes, in bytes.
const maxForm = 64 << 10

// page escapes what it shows: all of it comes from the client.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mirror</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
th { text-align: left; padding-right: 1rem; white-space: nowrap; vertical-align: top }
td { overflow-wrap: anywhere }
</style>
<h1>{{.Request.Method}} {{.Request.URL.Path}}</h1>
<p>from {{.Request.RemoteAddr}}</p>
<form method="post"><input name="word" aria-label="Word"> <button>Send</button></form>
<table>
{{range $name, $values := .Parameters}}{{range $values}}<tr><th>{{$name}}<td>{{.}}
{{end}}{{end}}
{{- range $name, $values := .Request.Header}}{{range $values}}<tr><th>{{$name}}:<td>{{.}}
{{end}}{{end -}}
</table>
</html>
`))

// mirror shows a request: its line, its parameters, its fields, and the
// client's address.
type mirror struct{}

// Get shows the parameters that stand in the address.
func (m mirror) Get(w http.ResponseWriter, r *http.Request) error {
	return m.show(w, r, r.URL.Query())
}

// Post shows those of a form as well.
func (m mirror) Post(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		// This is the client's fault, not ours.
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge)
		} else {
			refuse(w, http.StatusBadRequest)
		}
		return nil
	}
	return m.show(w, r, r.Form)
}

// show answers with the page.
func (mirror) show(w http.ResponseWriter, r *http.Request, parameters url.Values) error {
	var html bytes.Buffer
	if err := page.Execute(&html, struct {
		Request    *http.Request
		Parameters url.Values
	}{r, parameters}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK) // 200 goes without saying; it ends the head
	_, _ = w.Write(html.Bytes()) // an error says that the client has gone
	return nil
}
