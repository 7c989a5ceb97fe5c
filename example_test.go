package gatehouse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/seed-07905ac1/gatehouse"
)

func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!", r.PathValue("name"))
	})
	l, err := gatehouse.Listen("127.0.0.1:0", 0)
	if err != nil {
		log.Fatal(err)
	}
	server := &gatehouse.Server{Handler: mux}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()

	resp, err := http.Get("http://" + l.Addr().String() + "/hello/world")
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status, string(body))

	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(<-ended, http.ErrServerClosed))
	// Output:
	// 200 OK Hello, world!
	// true
}
