// Command handler is a server with one handler, which has a method for each
// verb: it shows what the server knows of a request.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/seed-07905ac1/gatehouse"
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen: host:port, :port or unix:/path")
	backlog := flag.Int("backlog", 0, "how many clients may wait (default: the system's maximum)")
	flag.Parse()

	l, err := gatehouse.Listen(*listen, *backlog)
	if err != nil {
		log.Fatal(err)
	}
	server := &gatehouse.Server{Handler: Verbs(mirror{})}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })
	log.Printf("listening on %s", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
