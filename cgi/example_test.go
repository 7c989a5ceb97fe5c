package cgi_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/cgi"
)

func ExampleHandler() {
	dir, err := os.MkdirTemp("", "cgi-bin-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const script = `#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "$REQUEST_METHOD for $PATH_INFO"
`
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte(script), 0o755); err != nil {
		log.Fatal(err)
	}

	scripts, err := cgi.Open(cgi.Config{Dir: dir, Prefix: "/cgi-bin/"})
	if err != nil {
		log.Fatal(err)
	}
	defer scripts.Close()
	mux := http.NewServeMux()
	mux.Handle("/cgi-bin/", scripts)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/cgi-bin/hello/world", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 GET for /world
}
