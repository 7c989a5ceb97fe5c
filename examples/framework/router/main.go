// Command router is the site of app.py with the router of the standard library.
package main

import (
	"context"
	"errors"
	"flag"
	"html/template"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/static"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen: host:port, or :port for every address")
	html := flag.String("html", "examples/framework/html", "the folder with the static files")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*listen, *html); err != nil {
		log.Fatal(err)
	}
}

// run serves the site until Ctrl-C.
func run(listen, html string) error {
	files, err := static.Open(static.Config{Roots: []string{html}, Prefix: "/static/", Log: slog.Default()})
	if err != nil {
		return err
	}
	defer files.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index) // without {$} it would answer for every other path, too
	mux.HandleFunc("GET /hello", hello)
	mux.HandleFunc("GET /time", clock)
	mux.Handle("/static/", files)

	l, err := gatehouse.Listen(listen, 0)
	if err != nil {
		return err
	}
	server := &gatehouse.Server{Handler: mux}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })
	log.Printf("serving http://%s/", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// page escapes what it shows.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<link rel="stylesheet" href="static/site.css">
<h1>{{.Title}}</h1>
{{if .Time}}<p><time>{{.Time}}</time> UTC</p>
{{end}}{{if .Links}}<ul>
<li><a href="hello?name=Ada">Hello</a>
<li><a href="time">What time is it?</a>
<li><a href="static/">Pages in GBK</a>
</ul>
{{end}}</html>
`))

// content is what a page says.
type content struct {
	Title string
	Time  string // "" says nothing of it
	Links bool   // to the other pages
}

func index(w http.ResponseWriter, _ *http.Request) {
	show(w, content{Title: "A tiny framework", Links: true})
}

func hello(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "world"
	}
	show(w, content{Title: "Hello, " + name + "!"})
}

func clock(w http.ResponseWriter, _ *http.Request) {
	show(w, content{Title: "Time", Time: time.Now().UTC().Format(time.TimeOnly)})
}

func show(w http.ResponseWriter, c content) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, c); err != nil {
		log.Print(err) // the client has gone
	}
}
