package main

import (
	"bytes"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/static"
)

// site is the handler of it all.
type site struct {
	*http.ServeMux
	files   *static.Handler
	scripts *cgi.Handler
}

// openSite returns the site whose files and scripts lie in dir. The caller
// calls Close in the end.
func openSite(dir string, log *slog.Logger) (*site, error) {
	// The page, with its form, and the picture on it.
	picture, err := sunset(320, 120)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", servePage)
	mux.HandleFunc("GET /test.jpg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(picture) // an error says that the client has gone
	})

	// A folder of files.
	files, err := static.Open(static.Config{Roots: []string{filepath.Join(dir, "files")}, Prefix: "/files/", Log: log})
	if err != nil {
		return nil, err
	}
	mux.Handle("/files/", files)

	// A script, to which the form may be sent as well.
	scripts, err := cgi.Open(cgi.Config{Dir: filepath.Join(dir, "cgi-bin"), Prefix: "/cgi-bin/", Log: log})
	if err != nil {
		files.Close()
		return nil, err
	}
	mux.Handle("/cgi-bin/", scripts)
	return &site{mux, files, scripts}, nil
}

// Close ends scripts that still run and gives the folders back.
func (s *site) Close() error { return errors.Join(s.scripts.Close(), s.files.Close()) }

// servePage shows the page, and what stood in the form that was sent to it.
func servePage(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		showPage(w, "")
	case http.MethodPost:
		showField(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

// maxForm is the longest form that the site takes, in bytes.
const maxForm = 1 << 20

// showField shows the page with what stood in the form.
func showField(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	showPage(w, r.PostForm.Get("name"))
}

// showPage answers with the page, and name below it unless that is "".
func showPage(w http.ResponseWriter, name string) {
	var html bytes.Buffer
	if err := page.Execute(&html, name); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(html.Bytes()) // an error says that the client has gone
}

// page escapes the name that it shows.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A form</title>
<link rel="stylesheet" href="/files/form.css">
<h1>A form</h1>
<p><img src="/test.jpg" alt="A sunset" width="320" height="120"></p>
<form method="post" action="/">
  <input name="name" required aria-label="Name">
  <button id="page">Show it here</button>
  <button id="script" formaction="/cgi-bin/post.py">Ask the script</button>
</form>
{{with .}}<p id="name">{{.}}</p>
{{end}}<p><a href="/files/about.txt">About this page</a></p>
</html>
`))
