// Command server answers Yes to whatever it receives.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/seed-07905ac1/gatehouse"
)

// patience is how long a client may send nothing, or not take its answer.
const patience = time.Minute

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen: host:port or unix:/path")
	backlog := flag.Int("backlog", 0, "how many clients may wait (default: the system's maximum)")
	flag.Parse()

	l, err := gatehouse.Listen(*listen, *backlog)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { l.Close() })
	log.Printf("listening on %s", l.Addr())
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		go answer(conn)
	}
}

// answer says Yes for each part that arrives, until the client has gone.
func answer(conn net.Conn) {
	defer conn.Close()
	part := make([]byte, 4096)
	for {
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return
		}
		if _, err := conn.Read(part); err != nil {
			return
		}
		if _, err := io.WriteString(conn, "Yes\n"); err != nil {
			return
		}
	}
}
