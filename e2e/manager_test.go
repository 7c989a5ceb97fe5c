package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// shop is an application that says its word, takes its time until a file go is
// among its data, or fails.
func shop(word string) string {
	return fmt.Sprintf(`import os, time

def rank(sign):
    while not os.path.exists(sign):
        time.sleep(0.05)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        rank(os.path.join(os.environ["GATEHOUSE_DATA"], "go"))
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no such basket")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s"]
`, word)
}

// brokenShop does not import.
const brokenShop = `import no_such_module_of_ours

def app(environ, start_response):
    pass
`

// zipped is an archive of one module, app.py.
func zipped(t *testing.T, name, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, testserver.Zip(t, map[string]string{"app.py": source}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// managed is a folder of applications that runs with the manager page.
type managed struct {
	t    *testing.T
	dir  string // of the applications
	site string // its URL, with the slash
	link string // lets in once
}

// manage runs what is in a folder of applications until the test ends.
func manage(t *testing.T, files map[string]string) *managed {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "webapps", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
		if strings.HasPrefix(text, "#!") {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--user", me.Username, "--manager", "127.0.0.1:0", "--manager-link", "--listen", "127.0.0.1:0")
	cmd.Dir = dir
	found := started(t, cmd, address(), regexp.MustCompile(`http://manager\.localhost:[0-9]+/link/\S+`))
	return &managed{t, filepath.Join(dir, "webapps"), found[0], found[1]}
}

// get asks the site for a path and returns the body.
func (m *managed) get(path string) string {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.site+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(body)
}

// enter opens the link, and presses the button.
func (m *managed) enter(b *browser) {
	m.t.Helper()
	b.open(m.link)
	b.follow(".door button")
	b.becomes(`document.querySelector("#totals dt")?.textContent == "Applications"`)
}

// TestManager looks after applications in a browser, as one does with the script.
func TestManager(t *testing.T) {
	m := manage(t, map[string]string{
		"ROOT/index.html":        "<title>Home</title><p>Home",
		"heap/notes.txt":         "nothing that runs",
		"tools#dns/cgi-bin/a":    "#!/bin/sh\necho Content-Type: text/plain\necho\necho found\n",
		"tools#dns/index.html":   "<p>Tools",
		"readme.txt":             "no application",
		"wiki##2/app.py":         shop("wiki"),
		"wiki##2/gatehouse.toml": "[app]\nstart = \"first-request\"\n",
	})
	b := browse(t, desktop())
	b.open(m.link)
	b.look("manager-link")
	b.read("the link")
	m.enter(b)
	b.becomes(`document.getElementById("live").textContent == "live"`)

	// One that is broken never was, and says why.
	b.upload("#archive", zipped(t, "shop.zip", brokenShop))
	b.click(".deploy button")
	b.becomes(`document.querySelector("main > .note.bad pre")?.textContent.includes("no_such_module_of_ours")`)
	b.failed()
	b.look("manager-failed")
	b.read("the list with a failure")

	b.upload("#archive", zipped(t, "shop.zip", shop("one")))
	b.click(".deploy button")
	b.becomes(`location.pathname == "/apps/shop" && document.querySelector(".note.good")?.textContent == "Deployed."`)
	if got := m.get("shop/"); got != "one" {
		t.Errorf("the shop says %q", got)
	}

	// The page moves while somebody looks on.
	b.becomes(`document.getElementById("live").textContent == "live"`)
	var visitors sync.WaitGroup
	visitors.Go(func() { m.get("shop/slow") })
	for range 20 {
		m.get("shop/")
	}
	m.get("shop/fail")
	b.becomes(`document.querySelector("#running code")?.textContent == "GET /shop/slow"`)
	b.look("manager-app")
	b.read("the page of an application")
	b.becomes(`document.querySelector("#slow pre")?.textContent.includes("rank(os.path.join(")`)
	write(t, filepath.Join(m.dir, ".gatehouse", "data", "shop", "go"), "")
	visitors.Wait()
	b.becomes(`/23 requests in five minutes, 1 failed/.test(document.getElementById("charts").textContent)`)
	b.becomes(`document.getElementById("log").textContent.includes("no such basket")`)

	// A worse one changes nothing for visitors; the traceback stays in sight.
	b.open(strings.Split(m.link, "link/")[0])
	b.upload("#archive", zipped(t, "shop.zip", brokenShop))
	b.click(".deploy button")
	b.becomes(`document.querySelector("main > .note.bad pre")?.textContent.includes("no_such_module_of_ours")`)
	b.failed()
	b.becomes(`document.querySelector("#state-shop .mood").textContent == "running, last deploy failed"`)
	if got := m.get("shop/"); got != "one" {
		t.Errorf("after a failed deployment the shop says %q", got)
	}
	b.follow(`#table a[href="/apps/shop"]`)
	if got := b.text("#failure pre"); !strings.Contains(got, "no_such_module_of_ours") {
		t.Errorf("the application's page shows the traceback %q", got)
	}
	b.look("manager-broken")

	// A better one, and back.
	b.open(strings.Split(m.link, "link/")[0])
	b.upload("#archive", zipped(t, "shop.zip", shop("two")))
	b.click(".deploy button")
	b.becomes(`location.pathname == "/apps/shop" && document.querySelector(".note.good") != null`)
	if got := m.get("shop/"); got != "two" {
		t.Errorf("the next shop says %q", got)
	}
	b.follow(`form[action$="/rollback"] button`)
	if got := m.get("shop/"); got != "one" {
		t.Errorf("rolled back the shop says %q", got)
	}
	b.open(strings.Split(m.link, "link/")[0])
	b.becomes(`document.getElementById("live").textContent == "live"`)
	b.look("manager-apps-light")
	b.follow(`nav a[href="/log"]`)
	b.look("manager-log")
	b.read("the log")
	b.open(strings.Split(m.link, "link/")[0] + "apps/shop/stacks")
	b.look("manager-stacks")
	b.read("the stacks")

	// A link that was used is none.
	b.open(m.link)
	if got := b.text(".note.bad strong"); !strings.Contains(got, "has been used") {
		t.Errorf("a used link says %q", got)
	}
}

// TestManagerPlain does the same on a small phone that runs no scripts.
func TestManagerPlain(t *testing.T) {
	m := manage(t, map[string]string{"ROOT/index.html": "<p>Home", "heap/notes.txt": "nothing that runs"})
	small := phone()
	small.width = 360
	b := browse(t, small)
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.check(err)
	m.enter(b)
	manager := strings.Split(m.link, "link/")[0]
	b.look("manager-apps-phone")

	b.upload("#archive", zipped(t, "shop.zip", brokenShop))
	b.follow(".deploy button")
	if got := b.text("main > .note.bad pre"); !strings.Contains(got, "no_such_module_of_ours") {
		t.Errorf("the traceback is %q", got)
	}
	b.failed()
	b.look("manager-failed-phone")

	for _, word := range []string{"one", "two"} {
		b.open(manager)
		b.upload("#archive", zipped(t, "shop.zip", shop(word)))
		b.follow(".deploy button")
		if got := b.text(".note.good"); got != "Deployed." {
			t.Errorf("the page says %q", got)
		}
		if got := m.get("shop/"); got != word {
			t.Errorf("the shop says %q, want %q", got, word)
		}
	}
	b.look("manager-app-phone")
	b.follow(`form[action$="/rollback"] button`)
	if got := m.get("shop/"); got != "one" {
		t.Errorf("rolled back the shop says %q", got)
	}
	// Numbers move from one look to the next: six visits, these three among them.
	for range 3 {
		m.get("shop/")
	}
	for b.open(manager + "apps/shop"); !strings.Contains(b.text("#charts"), "6 requests in five minutes"); {
		b.check(chromedp.Do(b.ctx, chromedp.Reload()))
	}
	b.click(".confirm summary")
	b.look("manager-confirm-phone")
	b.follow(".confirm button")
	if got := b.text(".note.good"); !strings.Contains(got, "Undeployed") {
		t.Errorf("the page says %q", got)
	}
	b.follow("header form button")
	if got := b.text("h1"); got != "Log in" {
		t.Errorf("logged out the page says %q", got)
	}
	b.look("manager-door-phone")
}

// TestManagerProcesses looks at what runs beside an application, on a wide screen
// and on a dark phone, while one of them fails.
func TestManagerProcesses(t *testing.T) {
	m := manage(t, map[string]string{
		"blog/index.html": "<p>Blog",
		"blog/gatehouse.toml": `[processes]
mails = "exec sleep 1000"
thumbnails = "until test -f go; do sleep 0.05; done; exit 3"
nightly = { cron = "30 3 1 1 *", command = "true" }
`,
	})
	b := browse(t, phone())
	m.enter(b)
	b.follow(`#table a[href="/apps/blog"]`)
	b.becomes(`document.getElementById("live").textContent == "live"`)
	b.becomes(`/running for/.test(document.getElementById("processes").textContent)`)
	write(t, filepath.Join(m.dir, "blog", "go"), "")
	// The page tells it by itself.
	b.becomes(`document.querySelector("#processes .bad")?.textContent == "exit status 3"`)
	b.becomes(`document.querySelector("#summary .mood").textContent.includes("process thumbnails fails")`)
	b.look("manager-processes-phone")
	b.read("processes on a dark phone")
	b.open(strings.Split(m.link, "link/")[0])
	b.look("manager-apps-failing-phone")
	b.read("the list on a dark phone")

	wide := browse(t, desktop())
	var out strings.Builder
	link := exec.Command(binary, "manager", "link")
	link.Dir, link.Stdout = filepath.Dir(m.dir), &out
	if err := link.Run(); err != nil {
		t.Fatal(err)
	}
	m.link = strings.TrimSpace(out.String())
	m.enter(wide)
	wide.follow(`#table a[href="/apps/blog"]`)
	wide.look("manager-processes")
}
