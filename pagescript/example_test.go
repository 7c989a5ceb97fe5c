package pagescript_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/pagescript"
)

// A page that prints, with the query as its argument, in a stock net/http server.
func Example() {
	dir, err := os.MkdirTemp("", "pages-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "hello.py"), []byte("import sys\nprint('Hello,', sys.argv[1])\n"), 0o600); err != nil {
		log.Fatal(err)
	}

	pages, err := pagescript.Open(pagescript.Config{Scripts: cgi.Config{Dir: dir, QueryArgument: true}})
	if err != nil {
		log.Fatal(err)
	}
	defer pages.Close()
	server := httptest.NewServer(pages)
	defer server.Close()

	resp, err := http.Get(server.URL + "/hello.py?Ada")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s: %s", resp.Header.Get("Content-Type"), body)
	// Output: text/html; charset=utf-8: Hello, Ada
}
