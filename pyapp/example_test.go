package pyapp_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "blog-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const module = `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s below %s" % (environ["PATH_INFO"].encode(), environ["SCRIPT_NAME"].encode())]
`
	if err := os.WriteFile(filepath.Join(dir, "wsgi.py"), []byte(module), 0o644); err != nil {
		log.Fatal(err)
	}

	app, err := pyapp.Open(pyapp.Config{Dir: dir, App: "wsgi:application", Mount: "/blog"})
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	mux := http.NewServeMux()
	mux.Handle("/blog/", app)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/blog/today", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 /today below /blog
}

// What keeps an application from starting names the file, the line and, where
// that can be told, what to do.
func ExampleStartError() {
	dir, err := os.MkdirTemp("", "blog-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "wsgi.py"), []byte("import missing_requirement\n"), 0o644); err != nil {
		log.Fatal(err)
	}

	_, err = pyapp.Open(pyapp.Config{Name: "blog", Dir: dir, App: "wsgi:application"})
	if e, ok := errors.AsType[*pyapp.StartError](err); ok {
		fmt.Println(e)
		fmt.Println(e.Hint)
	}
	// Output:
	// cannot start blog: wsgi.py:1: ModuleNotFoundError: No module named 'missing_requirement'
	// looked with python3; is the requirement installed in that environment?
}
