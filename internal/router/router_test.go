package router_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/router"
)

// named is a handler that answers with its name.
type named string

func (n named) ServeHTTP(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, string(n)) }

// table makes a table of routes written as "host/prefix", each answered with
// its own text.
func table(t testing.TB, routes ...string) *router.Table {
	t.Helper()
	var list []router.Route
	for _, text := range routes {
		slash := strings.IndexByte(text, '/')
		list = append(list, router.Route{Host: text[:slash], Prefix: text[slash:], Handler: named(text)})
	}
	tab, err := router.NewTable(list)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestLookup(t *testing.T) {
	tests := []struct {
		name   string
		routes string
		host   string
		path   string
		want   string // "" for none
	}{
		{"root", "/", "a", "/x/y", "/"},
		{"no routes", "", "a", "/", ""},
		{"no root", "/blog", "a", "/", ""},
		{"the prefix itself", "/ /blog", "a", "/blog", "/blog"},
		{"its folder", "/ /blog", "a", "/blog/", "/blog"},
		{"below", "/ /blog", "a", "/blog/2026/11", "/blog"},
		{"a longer name", "/ /blog", "a", "/blogger", "/"},
		{"a shorter name", "/ /blog", "a", "/blo", "/"},
		{"other case", "/ /blog", "a", "/Blog", "/"},
		{"longest wins", "/ /a /a/b /a/b/c", "a", "/a/b/x", "/a/b"},
		{"longest wins with a gap", "/ /a/b/c", "a", "/a/b", "/"},
		{"inside of a folder", "/ /static/", "a", "/static/x.css", "/static/"},
		{"the folder with its slash", "/ /static/", "a", "/static/", "/static/"},
		{"the folder without its slash", "/ /static/", "a", "/static", "/"},
		{"both forms, inside", "/static /static/", "a", "/static/x", "/static/"},
		{"both forms, itself", "/static /static/", "a", "/static", "/static"},
		{"many slashes", "/ /a", "a", "/" + strings.Repeat("/", 1<<16), "/"},
		{"doubled slash is another path", "/ /a", "a", "//a", "/"},
		{"no path", "/", "a", "*", "/"},
		{"empty path", "/", "a", "", "/"},
		{"host", "/ b.org/", "b.org", "/", "b.org/"},
		{"host with a port", "/ b.org/", "b.org:8000", "/", "b.org/"},
		{"host in another case, qualified", "/ B.org/", "b.ORG.", "/", "B.org/"},
		{"other host", "/ b.org/", "c.org", "/", "/"},
		{"host without the path", "/x b.org/y", "b.org", "/x", "/x"},
		{"IPv6 host", "/ ::1/", "[::1]:80", "/", "::1/"},
		{"wildcard", "/ *.b.org/", "www.b.org", "/", "*.b.org/"},
		{"wildcard, deeper", "/ *.b.org/", "a.www.b.org", "/", "*.b.org/"},
		{"wildcard is not the name itself", "/ *.b.org/", "b.org", "/", "/"},
		{"name before wildcard", "*.b.org/ www.b.org/", "www.b.org", "/", "www.b.org/"},
		{"nearest wildcard", "*.b.org/ *.www.b.org/", "a.www.b.org", "/", "*.www.b.org/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := table(t, strings.Fields(tt.routes)...).Lookup(tt.host, tt.path)
			got := ""
			if h != nil {
				got = string(h.(named))
			}
			if got != tt.want {
				t.Errorf("Lookup(%q, %.40q) = %q, want %q", tt.host, tt.path, got, tt.want)
			}
		})
	}
}

// routed makes a table of routes written as "METHODS=path", a path that ends in
// "$" being exact.
func routed(t testing.TB, texts ...string) *router.Table {
	t.Helper()
	var list []router.Route
	for _, text := range texts {
		methods, path, _ := strings.Cut(text, "=")
		r := router.Route{Handler: named(text)}
		r.Prefix, r.Exact = strings.CutSuffix(path, "$")
		if methods != "" {
			r.Methods = strings.Split(methods, ",")
		}
		list = append(list, r)
	}
	tab, err := router.NewTable(list)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestFind(t *testing.T) {
	tests := []struct {
		name    string
		routes  string
		method  string
		path    string
		want    string // "" for none
		allowed string
	}{
		{"exact before the folder", "=/a =/a$", "GET", "/a", "=/a$", ""},
		{"below is the folder's", "=/a =/a$", "GET", "/a/b", "=/a", ""},
		{"exact with a slash is another path", "=/ =/a$", "GET", "/a/", "=/", ""},
		{"exact root", "=/$", "GET", "/", "=/$", ""},
		{"exact root has nothing below", "=/$", "GET", "/x", "", ""},
		{"method", "GET=/a POST=/a", "POST", "/a", "POST=/a", ""},
		{"method before the rest", "=/a POST=/a", "POST", "/a", "POST=/a", ""},
		{"the rest", "=/a POST=/a", "PUT", "/a", "=/a", ""},
		{"GET takes HEAD", "GET=/a =/", "HEAD", "/a", "GET=/a", ""},
		{"HEAD of its own", "GET=/a HEAD=/a", "HEAD", "/a", "HEAD=/a", ""},
		{"a shorter path takes it", "GET=/a POST=/", "POST", "/a/b", "POST=/", ""},
		{"the folder takes it", "GET=/a$ POST=/a", "POST", "/a", "POST=/a", ""},
		{"nobody takes it", "GET=/a PUT,POST=/", "DELETE", "/a", "", "GET HEAD POST PUT"},
		{"nobody takes it below", "GET=/a/b POST=/a", "DELETE", "/a/b/c", "", "GET HEAD POST"},
		{"no route", "GET=/a", "GET", "/b", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tab := routed(t, strings.Fields(tt.routes)...)
			got := ""
			if h := tab.Find("a", tt.path, tt.method); h != nil {
				got = string(h.(named))
			} else if allowed := strings.Join(tab.Allowed("a", tt.path), " "); allowed != tt.allowed {
				t.Errorf("Allowed(%q) = %s, want %s", tt.path, allowed, tt.allowed)
			}
			if got != tt.want {
				t.Errorf("Find(%q, %s) = %q, want %q", tt.path, tt.method, got, tt.want)
			}
		})
	}
}

func TestNewTableRefuses(t *testing.T) {
	tests := []struct {
		name   string
		routes []router.Route
	}{
		{"no handler", []router.Route{{Prefix: "/"}}},
		{"no slash", []router.Route{{Prefix: "blog", Handler: named("")}}},
		{"twice", []router.Route{{Prefix: "/a", Handler: named("")}, {Prefix: "/a", Handler: named("")}}},
		{"method twice", []router.Route{
			{Prefix: "/a", Methods: []string{"GET"}, Handler: named("")},
			{Prefix: "/a", Methods: []string{"PUT", "GET"}, Handler: named("")},
		}},
		{"exact twice", []router.Route{{Prefix: "/a", Exact: true, Handler: named("")}, {Prefix: "/a", Exact: true, Handler: named("")}}},
		{"root twice", []router.Route{{Prefix: "/", Handler: named("")}, {Handler: named("")}}},
		{"host twice", []router.Route{{Host: "a.org", Handler: named("")}, {Host: "A.ORG.", Handler: named("")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := router.NewTable(tt.routes); err == nil {
				t.Error("NewTable = nil, want an error")
			}
		})
	}
}

func ask(r *router.Router) string {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a", nil))
	return w.Body.String()
}

func TestRouter(t *testing.T) {
	var r router.Router
	if got := ask(&r); !strings.Contains(got, "404") {
		t.Errorf("without a table: %q, want the standard 404", got)
	}
	r.NotFound = named("not found")
	if got := ask(&r); got != "not found" {
		t.Errorf("without a table: %q, want NotFound's answer", got)
	}
	r.Swap(table(t, "/b"))
	if got := ask(&r); got != "not found" {
		t.Errorf("without a route: %q, want NotFound's answer", got)
	}
	r.Swap(table(t, "/a"))
	if got := ask(&r); got != "/a" {
		t.Errorf("with a route: %q, want its handler's answer", got)
	}
}

// Requests never see a mixture while tables are swapped.
func TestSwapUnderLoad(t *testing.T) {
	var r router.Router
	one, two := table(t, "/a"), table(t, "/")
	r.Swap(one)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				if got := ask(&r); got != "/a" && got != "/" {
					t.Errorf("answer %q is of no table", got)
					return
				}
			}
		})
	}
	for range 1000 {
		r.Swap(two)
		r.Swap(one)
	}
	wg.Wait()
}

// The number of routes must not be seen in what a request costs.
func BenchmarkFind(b *testing.B) {
	for _, count := range []int{1, 10, 200, 2000} {
		b.Run(fmt.Sprint(count, " routes"), func(b *testing.B) {
			routes := []string{"=/"}
			for i := range count - 1 {
				routes = append(routes, fmt.Sprintf("=/app%d/part", i))
			}
			tab := routed(b, routes...)
			b.ReportAllocs()
			for b.Loop() {
				tab.Find("example.com:8000", "/library/books/17/", http.MethodGet)
			}
		})
	}
}
