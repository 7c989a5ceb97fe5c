package static_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/static"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "site-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"site.css": "body { margin: 0 }", ".env": "PASSWORD=secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}

	files, err := static.Open(static.Config{Roots: []string{dir}, Prefix: "/static/"})
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	mux := http.NewServeMux()
	mux.Handle("/static/", files)

	for _, path := range []string{"/static/site.css", "/static/.env"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(path, w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// /static/site.css 200 text/css; charset=utf-8
	// /static/.env 404 text/plain; charset=utf-8
}
