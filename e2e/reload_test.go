package e2e_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Flask project that somebody works at. Flask itself answers for a view that
// fails, with a page that says nothing.
const (
	draftGood = `from flask import Flask
import prices
app = Flask(__name__)

@app.get("/")
def show():
    return "<p>%d</p>" % prices.total([{"price": 20, "count": 2}, {"price": 2, "count": 1}])
`
	draftPrices = `def total(basket):
    return sum(item["price"] * item["count"] for item in basket)
`
)

// TestReload works at a project with a browser beside the editor: mistakes are
// shown where one looks, and mending them brings the site back.
func TestReload(t *testing.T) {
	for _, tt := range []struct {
		name   string
		screen screen
		paper  string // background of the page
	}{
		{"desktop", desktop(), "rgb(251, 250, 248)"},
		{"phone", phone(), "rgb(26, 25, 24)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			code, prices := filepath.Join(dir, "app.py"), filepath.Join(dir, "prices.py")
			write(t, code, draftGood)
			write(t, prices, strings.Replace(draftPrices, `"price"`, `"prize"`, 1))
			url := serve(t, dir, nil, "run", "--reload", "--python", python(t, "flask"), "--listen", "127.0.0.1:0")
			b := browse(t, tt.screen)
			b.open(url)
			if got := b.text("h1"); !strings.Contains(got, "KeyError") || !strings.Contains(got, "prize") {
				t.Errorf("the heading for a view that fails is %q", got)
			}
			if got := b.text(".culprit"); !strings.Contains(got, "prices.py:2") {
				t.Errorf("the place is %q", got)
			}
			if got := b.text("details summary"); !strings.Contains(got, "in flask") {
				t.Errorf("what others wrote is called %q", got)
			}
			if got := b.background("body"); got != tt.paper {
				t.Errorf("the page is %s, want %s: its policy does not let its style in", got, tt.paper)
			}
			b.failed()
			b.look("failed-view-" + tt.name)

			write(t, code, strings.Replace(draftGood, "def show():", "def show()", 1))
			b.reload(`document.querySelector(".what")?.textContent == "The application cannot be loaded."`)
			if got := b.text(".culprit"); !strings.Contains(got, "app.py:6") {
				t.Errorf("the place is %q", got)
			}
			b.failed()
			b.look("failed-import-" + tt.name)

			// Nobody touches the browser.
			write(t, prices, draftPrices)
			write(t, code, draftGood)
			b.becomes(`document.querySelector("p")?.textContent == "42"`)
		})
	}
}

// TestReloadDjango: Django's own page for a view that fails says nothing
// without DEBUG. Whoever works at the machine sees the traceback all the same,
// others Gatehouse's page.
func TestReloadDjango(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "project.py"), strings.Replace(faultyProject, `"127.0.0.1"`, `"*"`, 1))
	write(t, filepath.Join(dir, "urls.py"), faultyURLs)
	url := serve(t, dir, nil, "run", "--reload", "--python", python(t, "django"), "--listen", "127.0.0.1:0", "project:application")
	ask := func(path, host string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if got := ask("bad", "localhost"); !strings.Contains(got, "NameError: name 'undefined' is not defined") {
		t.Errorf("a developer gets %q", got)
	}
	if got := ask("bad", "shop.example"); strings.Contains(got, "NameError") || !strings.Contains(got, "500 Internal Server Error") {
		t.Errorf("a visitor gets %q", got)
	}
	begun := time.Now()
	write(t, filepath.Join(dir, "urls.py"), strings.Replace(faultyURLs, `HttpResponse("good")`, `HttpResponse("better")`, 1))
	again := time.NewTicker(20 * time.Millisecond) // not to keep the machine from loading
	defer again.Stop()
	for ask("good", "localhost") != "better" {
		if time.Since(begun) > patience {
			t.Fatal("the new view is not served")
		}
		<-again.C
	}
	t.Logf("a new view was served after %v", time.Since(begun).Round(time.Millisecond))
}
