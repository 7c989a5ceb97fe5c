// Command form is a site with a page, a form, a picture, files and a CGI script.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"

	"github.com/seed-07905ac1/gatehouse"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen: host:port, or :port for every address")
	dir := flag.String("dir", "examples/form", "the folder with files/ and cgi-bin/")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*listen, *dir); err != nil {
		log.Fatal(err)
	}
}

// run serves the site until Ctrl-C.
func run(listen, dir string) (err error) {
	s, err := openSite(dir, slog.Default())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := gatehouse.Listen(listen, 0)
	if err != nil {
		return err
	}
	server := &gatehouse.Server{Handler: s}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })
	log.Printf("serving http://%s/", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
